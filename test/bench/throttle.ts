import { Stage, startXfer } from "../e2e/harness.ts";

/** A PUT takes so long, and the store takes so many at a time. */
const delayMs = 80;
const takes = 4;
/** Objects copied while the store throttles all the time, and when it recovers. */
const steadyObjects = 2_000;
const recoveryObjects = 12_000;
const recoversAfterMs = 60_000;

const out = (text: string) => process.stdout.write(`${text}\n`);

interface Copied {
  objectsPerSecond: number;
  refused: number;
  requests: number;
  /** What the run said last of throttling. */
  said: string;
}

/** Copies objects to a store that throttles, for all the time or until it recovers. */
async function copy(objects: number, flags: readonly string[], recoversMs?: number): Promise<Copied> {
  await using stage = await Stage.start();
  for (let i = 0; i < objects; i++) stage.source.put("data", `d${i % 10}/object-${i}`, "x".repeat(200));
  const { dest } = stage;
  const lift = dest.inject({ kinds: ["PUT"], action: "slowdown", beyond: takes });
  dest.inject({ kinds: ["PUT"], action: { delayMs } });
  let firstAt = 0;
  let lastAt = 0;
  dest.inject({
    kinds: ["PUT"],
    match: () => {
      lastAt = performance.now();
      firstAt ||= lastAt;
      return false;
    },
    action: "slowdown",
  });
  const timer = recoversMs === undefined ? undefined : setTimeout(lift, recoversMs);
  const args = stage.runArgs("--num-shards", "1", "--no-verify", ...flags);
  const { code, stderr } = await startXfer(args, { cwd: stage.dir }).result;
  clearTimeout(timer);
  if (code !== 0) throw new Error(stderr);
  return {
    objectsPerSecond: (1000 * objects) / (lastAt - firstAt),
    refused: dest.counts.errors["503"] ?? 0,
    requests: dest.counts.PUT,
    said: stderr.match(/throttled: .*? of \d+(?=\s|$)/gm)?.join("; ") ?? "nothing",
  };
}

function row(name: string, { objectsPerSecond, refused, requests }: Copied, base?: Copied): string {
  const share = `${((100 * refused) / requests).toFixed(1)}%`;
  const times = base ? (objectsPerSecond / base.objectsPerSecond).toFixed(2) : "";
  const cells = [objectsPerSecond.toFixed(1), times, String(refused), share];
  return name.padEnd(34) + cells.map((cell) => cell.padStart(14)).join("");
}

/** What a store that throttles costs beside transfers that were chosen for it by hand. Prints. */
export async function benchThrottle(): Promise<void> {
  out(`\na store that takes ${takes} PUTs at a time, ${delayMs} ms each, with the default flags`);
  out(
    "".padEnd(34) +
      ["objects/s", "times by hand", "refused", "share"].map((cell) => cell.padStart(14)).join(""),
  );
  const byHand = await copy(steadyObjects, ["--rclone-flags", `--transfers ${takes}`]);
  out(row(`by hand: --transfers ${takes}`, byHand));
  out(row("by hand: --transfers 2", await copy(steadyObjects, ["--rclone-flags", "--transfers 2"]), byHand));
  const steady = await copy(steadyObjects, []);
  out(row("by itself", steady, byHand));
  const recovering = await copy(recoveryObjects, [], recoversAfterMs);
  out(row(`recovers after ${recoversAfterMs / 1000} s`, recovering, byHand));
  out(`said, throttling all the time: ${steady.said}`);
  out(`said, recovering: ${recovering.said}`);
}
