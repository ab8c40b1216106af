import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { S3Endpoint } from "../s3/endpoint.ts";
import { binary } from "../stage/harness.ts";
import { measure } from "./measure.ts";

/** A store that serves four requests of a kind at a time and refuses all others; one takes so long. */
const atATime = 4;
const requestMs = 80;
const recoverMs = 60_000;

const takesFour = { objects: 3_000, recovers: false, byHand: [String(atATime), "2"] } as const;
const cases = [
  { name: `takes ${atATime} PUTs at a time`, kind: "PUT", ...takesFour },
  {
    name: "recovers after a minute",
    kind: "PUT",
    objects: 12_000,
    recovers: true,
    byHand: [String(atATime), "32"],
  },
  { name: `takes ${atATime} GETs at a time`, kind: "GET", ...takesFour },
] as const;

/** Objects a second with the default flags beside --transfers chosen by hand, and what was refused of the kind. */
export async function throttlingTable(dir: string, print: (text: string) => void): Promise<void> {
  const row = (cells: string[]) => print(`${cells.map((cell) => cell.padEnd(26)).join("")}\n`);
  print("\na store that throttles, one shard: objects a second, and refused of all requests of the kind\n");
  row(["", "transfers", "objects/s", "refused", "wasted GETs", "of the best by hand"]);
  for (const one of cases) {
    const byHand = [];
    for (const transfers of one.byHand) {
      byHand.push(await copy(dir, one, ["--rclone-flags", `--transfers ${transfers} --retries 10`]));
      row([one.name, `${transfers} by hand`, ...cellsOf(byHand.at(-1))]);
    }
    const own = await copy(dir, one, []);
    const best = Math.max(...byHand.map(({ rate }) => rate));
    row([one.name, "default flags (32)", ...cellsOf(own), `${Math.round((100 * own.rate) / best)}%`]);
    for (const line of own.said) print(`    ${line}\n`);
  }
}

interface Copied {
  rate: number;
  refused: number;
  requests: number;
  wastedGets: number;
  /** What the shard's log says of throttling. */
  said: string[];
}

function cellsOf(copied: Copied | undefined): string[] {
  if (!copied) return [];
  const { rate, refused, requests, wastedGets } = copied;
  return [rate.toFixed(1), `${refused} (${Math.round((100 * refused) / requests)}%)`, String(wastedGets)];
}

async function copy(dir: string, one: (typeof cases)[number], flags: readonly string[]): Promise<Copied> {
  const work = mkdtempSync(join(dir, "xfer-bench-throttling-"));
  await using source = await S3Endpoint.start({ directory: join(work, "source"), buckets: ["data"] });
  await using dest = await S3Endpoint.start({ directory: join(work, "dest"), buckets: ["copy"] });
  try {
    for (let i = 0; i < one.objects; i++) source.put("data", `d${i % 10}/o-${i}`, "x".repeat(200));
    const store = one.kind === "GET" ? source : dest;
    const recover = store.inject({ kinds: [one.kind], action: "slowdown", beyond: atATime });
    store.inject({ kinds: [one.kind], action: { delayMs: requestMs } });
    const timer = one.recovers ? setTimeout(recover, recoverMs) : undefined;
    writeFileSync(
      join(work, "rclone.conf"),
      `${source.rcloneSection("src")}\n${dest.rcloneSection("dst")}\n`,
      {
        mode: 0o600,
      },
    );
    const { seconds, code, stderr } = await measure(
      [
        ...[binary, "run", "--executor", "local", "--num-shards", "1", "--no-verify"],
        ...["--source", "src:data", "--dest", "dst:copy", "--rclone-config", "rclone.conf", ...flags],
      ],
      work,
    );
    clearTimeout(timer);
    if (code !== 0) throw new Error(stderr);
    const logs = join(work, "run", "logs");
    const said = readdirSync(logs)
      .filter((name) => name.includes("_attempt_"))
      .flatMap((name) => readFileSync(join(logs, name), "utf8").split("\n"))
      .flatMap(
        (line) =>
          /"time":"[^"]*T([\d:]+)[^"]*".*"msg":"xfer: (throttled: [^"]*)"/.exec(line)?.slice(1).join(" ") ??
          [],
      );
    const refused = store.counts.errors["503"] ?? 0;
    const wastedGets = source.counts.GET - one.objects;
    return { rate: one.objects / seconds, refused, requests: store.counts[one.kind], wastedGets, said };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
