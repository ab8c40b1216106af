import { expect, test } from "bun:test";
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { submittedJson } from "../../cmd/view/launched.ts";
import { probeJson } from "../../cmd/view/probe.ts";
import { parseProbe } from "../../lib/cluster/probe.ts";
import { skills } from "../../lib/skills/embedded.ts";
import { fieldTablesOf, hasField } from "../docs/skill-page.ts";
import { temporaryDirectory, timeoutMs, xfer, xferUnderModes } from "../stage/harness.ts";

test(
  "skills install writes what skills list names, and a second time leaves it",
  async () => {
    using dir = temporaryDirectory();
    const at = { cwd: dir.path };
    const listed = await xfer(["skills", "list", "--json"], at);
    expect(JSON.parse(listed.stdout)).toEqual({
      schema: "xfer.skills.v1",
      skills: skills.map(({ name, description }) => ({ name, description })),
    });
    const install = () => xfer(["skills", "install", "--json"], at);
    const outcomes = ({ stdout }: { stdout: string }) =>
      new Set(JSON.parse(stdout).skills.map(({ outcome }: { outcome: string }) => outcome));
    expect(outcomes(await install())).toEqual(new Set(["written"]));
    for (const { name, text } of skills) {
      const path = join(dir.path, ".claude", "skills", name, "SKILL.md");
      expect(readFileSync(path, "utf8").slice(0, text.length)).toBe(text);
    }
    expect(outcomes(await install())).toEqual(new Set(["same"]));
    // HOME is the folder itself.
    expect(outcomes(await xfer(["skills", "install", "--user", "--json"], at))).toEqual(new Set(["same"]));
    const own = join(dir.path, ".claude", "skills", "xfer-oneshot", "SKILL.md");
    writeFileSync(own, "mine\n");
    const kept = await xfer(["skills", "install"], at);
    expect(kept.code).toBe(0);
    expect(kept.stdout).toInclude(".claude/skills/xfer-oneshot/SKILL.md: kept");
    expect(kept.stderr).toMatch(/warning: .*xfer-oneshot\/SKILL\.md \(--force replaces them\)\n$/);
    expect(readFileSync(own, "utf8")).toBe("mine\n");
  },
  timeoutMs,
);

test(
  "a folder that cannot be written is told, and nothing is",
  async () => {
    using dir = temporaryDirectory();
    const shut = join(dir.path, "shut");
    mkdirSync(shut, { mode: 0o555 });
    const refused = await xferUnderModes(["skills", "install", "shut/skills"], { cwd: dir.path });
    expect(refused).toEqual({
      code: 2,
      stdout: "",
      stderr: `xfer: DIR: ${shut} cannot be written (EACCES): choose a place that can be\n`,
    });
    expect(readdirSync(shut)).toEqual([]);
    chmodSync(shut, 0o755);
  },
  timeoutMs,
);

/** What was printed or written, by the words of the skills, and what runs a command and keeps what it prints. */
interface Reader {
  read: Map<string, unknown>;
  run(name: string, words: string, code?: number): Promise<void>;
}

/** Runs what works with a cluster. It is this host: what goes there and comes back is the same as over ssh. */
async function readOfCluster(dir: string, { read, run }: Reader): Promise<void> {
  writeFileSync(join(dir, "own.conf"), "[a]\ntype = local\n", { mode: 0o600 });
  const there = "--host local --run-root HERE/runs --rclone-config HERE/there.conf";
  await run("xfer cluster add --json", `here ${there}`);
  await run("xfer stage --json", "--cluster here --run-dir RUN");
  await run("xfer pull --json", "--cluster here --run-dir RUN");
  await run("xfer rclone-config deploy --json", "--cluster here --remotes a --from own.conf --yes");
  await run("xfer rclone-config check --json", "--cluster here --remotes a");
  // There need be no Slurm here.
  const text = "== partitions\ntransfer|transfer*|up|1-00:00:00|4|0/16/0/16|(null)\n== conf\n600\n";
  const profile = { schema: "xfer.cluster.v1", name: "here", host: "local", run_root: "/r" } as const;
  const probed = { profile: { ...profile, mounts: [] }, facts: parseProbe(text), node: undefined };
  read.set("xfer cluster probe --json", probeJson([probed]));
}

/** Runs what the skills run, on a small data set, and gives what each printed or wrote, by the words of the skills. */
async function whatIsRead(dir: string): Promise<Map<string, unknown>> {
  for (const name of ["a", "b"]) {
    mkdirSync(join(dir, "set", name), { recursive: true });
    for (const i of [1, 2, 3]) writeFileSync(join(dir, "set", name, `${i}`), name.repeat(i));
  }
  const read = new Map<string, unknown>();
  const run = async (name: string, words: string, code = 0) => {
    const given = words.split(" ").map((word) => word.replace(/^HERE/, dir));
    const ended = await xfer([...name.split(" ").slice(1, -1), ...given, "--json"], { cwd: dir });
    expect(ended.code, `${name}: ${ended.stderr}`).toBe(code);
    read.set(name, JSON.parse(ended.stdout));
  };
  const file = (name: string, path: string) =>
    read.set(name, JSON.parse(readFileSync(join(dir, path), "utf8")));
  const roots = "--source set --dest copy";
  await run("xfer manifest build --json", `--runtime host ${roots} --out RUN/manifest.jsonl`);
  file("RUN/manifest.jsonl.progress", "RUN/manifest.jsonl.progress");
  await run("xfer manifest analyze --json", "--in RUN/manifest.jsonl");
  await run("xfer manifest estimate --json", "--in RUN/manifest.jsonl --min-rate 1Gbps --max-rate 2Gbps");
  await run(
    "xfer manifest rebase --json",
    "--in RUN/manifest.jsonl --out other.jsonl --dest-root /elsewhere",
  );
  mkdirSync(join(dir, "parts"));
  const listed = { Path: "a/1", Name: "1", Size: 1, IsDir: false, ModTime: "2026-11-25T08:15:00Z" };
  writeFileSync(join(dir, "parts", "lsjson-0.json"), JSON.stringify([listed]));
  writeFileSync(join(dir, "parts", "lsjson-0.prefix"), "");
  await run("xfer manifest combine --json", `--parts-dir parts ${roots} --out combined.jsonl`);
  await run("xfer manifest shard --json", "--in RUN/manifest.jsonl --outdir RUN/shards --num-shards 1");
  await run("xfer slurm render --json", "--runtime host --run-dir RUN");
  read.set("xfer slurm submit --json", submittedJson("RUN", "4711"));
  cpSync(join(dir, "RUN"), join(dir, "FAILS"), { recursive: true });
  await run("xfer run --json", "--runtime host --run-dir RUN");
  await run("xfer run --executor local --json", "--run-dir RUN");
  const account = read.get("xfer run --executor local --json") as { verification: unknown };
  await run("xfer verify --json", "--run-dir RUN");
  // Something to fail by: a reason is there to be read only then.
  rmSync(join(dir, "copy"), { recursive: true });
  rmSync(join(dir, "set", "a", "1"));
  await run("xfer run --executor local --json", "--run-dir FAILS", 1);
  const failed = read.get("xfer run --executor local --json") as object;
  read.set("xfer run --executor local --json", { ...failed, verification: account.verification });
  await run("xfer status --json", "--run-dir FAILS", 1);
  file("RUN/state/shard_N.progress", "FAILS/state/shard_0.progress");
  file("RUN/state/shard_N.fail", "FAILS/state/shard_0.fail");
  await readOfCluster(dir, { run, read });
  return read;
}

test(
  "every field that a skill tells to read is there",
  async () => {
    using dir = temporaryDirectory();
    const read = await whatIsRead(dir.path);
    const tables = skills.flatMap(({ name, text }) => fieldTablesOf(text).map((one) => ({ name, ...one })));
    expect(tables.length).toBeGreaterThan(12);
    const wrong = tables.flatMap(({ name, of, fields }) =>
      fields.filter((field) => !hasField(read.get(of), field)).map((field) => `${name}: ${of}: ${field}`),
    );
    expect(wrong).toEqual([]);
  },
  timeoutMs,
);
