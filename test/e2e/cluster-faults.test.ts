import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureSshPackages, type FarAccount, makeFarAccount, removeFarAccount } from "../ssh/account.ts";
import { startSshServer } from "../ssh/sshd.ts";
import { Stage, startXfer, temporaryDirectory, timeoutMs, until } from "../stage/harness.ts";

let account: FarAccount;
beforeAll(async () => {
  await ensureSshPackages();
  account = makeFarAccount("/bin/bash");
}, timeoutMs);
afterAll(removeFarAccount);

/** A workstation with a profile `weka` of the account behind a real sshd. */
async function workstation(dir: string, runRoot: string, more: object = {}) {
  const server = await startSshServer(account);
  const clusters = join(dir, ".config", "xfer", "clusters");
  mkdirSync(clusters, { recursive: true });
  const profile = { schema: "xfer.cluster.v1", name: "weka", host: server.host, run_root: runRoot, ...more };
  writeFileSync(join(clusters, "weka.json"), JSON.stringify(profile), { mode: 0o600 });
  const env = { XFER_SSH: server.ssh, TMPDIR: dir };
  const start = (...args: string[]) => startXfer([...args, "--cluster", "weka"], { cwd: dir, env });
  return { server, start, run: (...args: string[]) => start(...args).result };
}

const own = (path: string) => Bun.spawnSync(["chown", "-R", `${account.uid}:${account.gid}`, path]);

/** The parts of files below a folder, and their bytes. */
function partsIn(dir: string): Map<string, number> {
  const names = readdirSync(dir, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".part"),
  );
  return new Map(names.map((name) => [name, statSync(join(dir, name)).size]));
}

test(
  "a full disk under the run root is told with host and path, and nothing is half there",
  async () => {
    using temp = temporaryDirectory();
    const small = join(temp.path, "small");
    mkdirSync(small);
    expect(Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", small]).exitCode).toBe(0);
    try {
      own(small);
      const { server, run } = await workstation(temp.path, join(small, "runs"));
      await using _ = server;
      const { code, stdout, stderr } = await run("verify", "--run-dir", "r");
      expect([code, stdout, stderr.trimEnd().split("\n").length], stderr).toEqual([1, "", 1]);
      expect(stderr).toMatch(/^xfer: far:.*\/\.xfer\/bin\/xfer-.*No space left.*free some space there/);
    } finally {
      Bun.spawnSync(["umount", small]);
    }
  },
  timeoutMs,
);

test(
  "a stage that is cut in the middle is gone on with, and arrives byte for byte",
  async () => {
    using temp = temporaryDirectory();
    const runRoot = join(account.home, "runs");
    const { server, start, run } = await workstation(temp.path, runRoot);
    await using _ = server;
    // xfer itself is there before.
    expect((await run("verify", "--run-dir", "r")).code).toBe(2);
    const dir = join(temp.path, "big");
    mkdirSync(join(dir, "shards"), { recursive: true });
    writeFileSync(join(dir, "config.resolved.json"), "{}\n");
    const bytes = 300_000_000;
    const content = Buffer.alloc(bytes, "a line of a manifest that is long enough to be one\n");
    writeFileSync(join(dir, "manifest.jsonl"), content);
    const first = start("stage", "--run-dir", "big");
    const far = join(runRoot, "big");
    const arrived = () => {
      try {
        return partsIn(far).get("manifest.jsonl.part") ?? 0;
      } catch {
        return 0;
      }
    };
    await until("a part of the manifest", () => arrived() > 1_000_000);
    await server.cut();
    expect((await first.result).code).toBe(75);
    await until("the far end to notice", () => {
      const before = arrived();
      return Bun.sleep(300).then(() => arrived() === before);
    });
    const there = arrived();
    expect(there).toBeLessThan(bytes);
    const second = await run("stage", "--run-dir", "big", "--json");
    expect(second.code, second.stderr).toBe(0);
    // What was there is not sent again.
    expect((JSON.parse(second.stdout) as { bytes: number }).bytes).toBeLessThanOrEqual(bytes - there + 3);
    expect(readFileSync(join(far, "manifest.jsonl")).equals(content)).toBeTrue();
    expect(partsIn(far).size).toBe(0);
  },
  timeoutMs,
);

test(
  "no secret of rclone.conf is in any argument, output, log or file but rclone.conf itself",
  async () => {
    // Other tests run beside this one, with a secret of theirs.
    await using stage = await Stage.start({ secretAccessKey: `secret-${crypto.randomUUID()}` });
    const keys = stage.fill(40);
    const runRoot = join(account.home, "secret runs");
    const conf = join(account.home, "rclone.conf");
    writeFileSync(conf, readFileSync(stage.conf), { mode: 0o600 });
    own(account.home);
    const profile = { rclone_config: conf, runtime: "host" };
    const { server, start, run } = await workstation(stage.dir, runRoot, profile);
    await using _ = server;
    const secrets = [stage.source, stage.dest].map(({ secretAccessKey }) => secretAccessKey);
    const holds = (text: string) => secrets.some((secret) => text.includes(secret));
    stage.dest.inject({ kinds: ["PUT"], action: { delayMs: 100 } });
    const running = start(
      ...["run", "--executor", "local", "--source", "src:data", "--dest", "dst:copy", "--run-dir", "r"],
    );
    const seen: string[] = [];
    let looks = 0;
    const ended = running.result.then(() => true);
    while (!(await Promise.race([ended, Bun.sleep(20).then(() => false)]))) {
      looks++;
      for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
        for (const file of ["cmdline"]) {
          try {
            const text = readFileSync(`/proc/${pid}/${file}`, "utf8");
            if (holds(text)) seen.push(text);
          } catch {
            // It has ended.
          }
        }
      }
    }
    const { code, stdout, stderr } = await running.result;
    expect(code, stderr).toBe(0);
    expect(looks).toBeGreaterThan(10);
    await stage.expectEqual(keys);
    const pulled = await run("pull", "--run-dir", "r");
    expect(pulled.code, pulled.stderr).toBe(0);
    const files = [runRoot, join(stage.dir, "r"), join(stage.dir, ".config")].flatMap((dir) =>
      readdirSync(dir, { recursive: true, encoding: "utf8" }).map((name) => join(dir, name)),
    );
    const leaks = files.filter((path) => statSync(path).isFile() && holds(readFileSync(path, "latin1")));
    expect({ seen, leaks, told: holds(stdout + stderr + pulled.stdout + pulled.stderr) }).toEqual({
      seen: [],
      leaks: [],
      told: false,
    });
  },
  timeoutMs,
);
