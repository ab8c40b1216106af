import { afterAll, beforeAll, expect, test } from "bun:test";
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  ensureSshPackages,
  type FarAccount,
  makeFarAccount,
  removeFarAccount,
  setPassword,
} from "../ssh/account.ts";
import { type SshServer, startSshServer } from "../ssh/sshd.ts";
import {
  binary,
  kill,
  processesWith,
  Stage,
  startXfer,
  temporaryDirectory,
  timeoutMs,
  until,
} from "../stage/harness.ts";
import { Typist } from "../stage/typist.ts";

beforeAll(ensureSshPackages, timeoutMs);
afterAll(removeFarAccount);

/** A workstation with a profile `weka` of an account behind a real sshd. */
async function workstation(dir: string, server: SshServer, runRoot = "~/run root's") {
  const clusters = join(dir, ".config", "xfer", "clusters");
  mkdirSync(clusters, { recursive: true });
  const profile = { schema: "xfer.cluster.v1", name: "weka", host: server.host, run_root: runRoot };
  writeFileSync(join(clusters, "weka.json"), JSON.stringify(profile));
  const start = (...args: string[]) =>
    startXfer([...args, "--cluster", "weka"], { cwd: dir, env: { XFER_SSH: server.ssh, TMPDIR: dir } });
  return { start, run: (...args: string[]) => start(...args).result };
}

/** Writes a file that belongs to the account. */
function give(account: FarAccount, path: string, text: string, mode = 0o644): string {
  const full = join(account.home, path);
  mkdirSync(join(full, ".."), { recursive: true });
  writeFileSync(full, text, { mode });
  Bun.spawnSync(["chown", "-R", `${account.uid}:${account.gid}`, account.home]);
  return full;
}

/** When a run id was made, in milliseconds: it begins with the time, to the second. */
const runIdTime = (id: string) =>
  Date.parse(id.replace(/^(....)(..)(..)T(..)(..)(..)Z.*/, "$1-$2-$3T$4:$5:$6Z"));

test.each([
  ["/bin/bash", ".bashrc", "echo Welcome to the cluster; echo 'mind the gap' >&2"],
  ["/bin/tcsh", ".cshrc", "echo Welcome to the cluster!"],
  ["/usr/bin/fish", ".config/fish/config.fish", "echo Welcome to the cluster"],
])(
  "a whole transfer at a cluster whose login shell is %s and prints a banner",
  async (shell, file, banner) => {
    using temp = temporaryDirectory();
    const account = makeFarAccount(shell);
    await using server = await startSshServer(account, [`Banner "${join(temp.path, "banner")}"`]);
    writeFileSync(join(temp.path, "banner"), "Authorised users only\n");
    give(account, file, banner);
    for (const n of [1, 2, 3]) give(account, `my set/it's ${n}.txt`, `content ${n}\n`.repeat(1000 * n));
    const { run } = await workstation(temp.path, server);
    const set = join(account.home, "my set");
    const copy = join(account.home, "copy");
    const words = ["run", "--executor", "local", "--source", set, "--dest", copy, "--run-dir", "r"];
    const copied = await run(...words);
    expect([copied.code, copied.stderr.includes("xfer:")], copied.stderr).toEqual([0, false]);
    expect(copied.stdout).toMatch(/^listed +3 objects .*\ncopied +3 objects .*\n(.*\n)*verified: 3 by size/);
    for (const name of readdirSync(set)) {
      expect(readFileSync(join(copy, name)).equals(readFileSync(join(set, name)))).toBeTrue();
    }
    const verified = await run("verify", "--run-dir", "r", "--json");
    expect(verified.stderr).toBe("");
    expect(JSON.parse(verified.stdout)).toMatchObject({ verified: true, size_only: 3 });
    const missing = await run("verify", "--run-dir", "nosuch");
    expect([missing.code, missing.stdout]).toEqual([2, ""]);
    expect(missing.stderr).toMatch(/^xfer: nosuch\/config\.resolved\.json: no such file/);
    // One binary, and no session that was seen to its end.
    const below = join(account.home, "run root's", ".xfer");
    expect(readdirSync(join(below, "bin"))).toHaveLength(1);
    expect(readdirSync(join(below, "sessions"))).toEqual([]);
  },
  timeoutMs,
);

test(
  "a listing outlives its connection, and the same command attaches to it",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(30);
    const account = makeFarAccount("/bin/bash");
    await using server = await startSshServer(account);
    const conf = give(account, "rclone.conf", readFileSync(stage.conf, "utf8"), 0o600);
    const { start, run } = await workstation(stage.dir, server);
    stage.source.inject({ kinds: ["LIST"], action: { delayMs: 4_000 } });
    const words = [
      ...["manifest", "build", "--source", "src:data", "--dest", "dst:copy", "--out", "m.jsonl"],
      ...["--runtime", "host", "--rclone-config", conf, "--hash", "off"],
    ];
    const first = start(...words);
    await until("the listing", () => stage.source.counts.LIST > 0);
    const cutAt = Date.now();
    await server.cut();
    const lost = await first.result;
    expect(lost.code).toBe(75);
    expect(lost.stderr).toContain("the connection to far was lost: the command goes on at far");
    const again = await run(...words);
    expect([again.code, again.stderr.includes("xfer:")], again.stderr).toEqual([0, false]);
    expect(again.stdout).toMatch(/^m\.jsonl: \d+ objects/);
    const manifest = readFileSync(join(account.home, "run root's", "m.jsonl"), "utf8");
    expect(manifest.trimEnd().split("\n")).toHaveLength(keys.length);
    // It is the listing that was begun before the connection was lost.
    const begun = runIdTime(/"run_id":"([^"]+)"/.exec(manifest)?.[1] ?? "");
    expect(begun).toBeLessThanOrEqual(cutAt);
  },
  timeoutMs,
);

test(
  "Ctrl-C stops the command at the cluster, with its own exit code",
  async () => {
    await using stage = await Stage.start();
    stage.fill(10);
    const account = makeFarAccount("/bin/bash");
    await using server = await startSshServer(account);
    const conf = give(account, "rclone.conf", readFileSync(stage.conf, "utf8"), 0o600);
    const { start } = await workstation(stage.dir, server);
    stage.source.inject({ kinds: ["LIST"], action: "stall" });
    const words = [
      ...["manifest", "build", "--source", "src:data", "--dest", "dst:copy", "--out", "m.jsonl"],
      ...["--runtime", "host", "--rclone-config", conf],
    ];
    const running = start(...words);
    await until("the listing", () => stage.source.counts.LIST > 0);
    kill(running.pid, "SIGINT");
    const { code, stderr } = await running.result;
    expect(code, stderr).toBe(130);
    expect(stderr).toContain("stopped by SIGINT");
    await until("the far end to be empty", () => processesWith(`${account.home}/rclone.conf`).length === 0);
    expect(existsSync(join(account.home, "run root's", "m.jsonl"))).toBeFalse();
    expect(readdirSync(join(account.home, "run root's", ".xfer", "sessions"))).toEqual([]);
  },
  timeoutMs,
);

test(
  "a password is asked for at the terminal; without one, the connection that is open is used, or the mend is told",
  async () => {
    using temp = temporaryDirectory();
    const account = makeFarAccount("/bin/bash");
    setPassword(account, "pass word");
    await using server = await startSshServer(account, [
      "PasswordAuthentication yes",
      "PubkeyAuthentication no",
    ]);
    const { run } = await workstation(temp.path, server);
    const refused = await run("verify", "--run-dir", "r");
    expect([refused.code, refused.stdout]).toEqual([1, ""]);
    expect(refused.stderr).toMatch(/^xfer: far refused this user's keys: .* needs a terminal.*\n$/);
    await using typist = new Typist(
      ["setsid", "--ctty", "--wait", binary, "cluster", "probe", "weka"],
      temp.path,
      {
        XFER_SSH: server.ssh,
        TMPDIR: temp.path,
      },
    );
    await typist.sees("password: ");
    typist.answer("pass word");
    await typist.sees("writable");
    expect(await typist.exited).toBe(0);
    expect(typist.shown.split("password: ").length).toBe(2);
    const open = await run("verify", "--run-dir", "r");
    expect(open.stderr).toContain("r/config.resolved.json: no such file");
  },
  timeoutMs,
);

test(
  "a host that is not the known one, a refused key and a host that is none are told in a line",
  async () => {
    using temp = temporaryDirectory();
    const account = makeFarAccount("/bin/bash");
    await using server = await startSshServer(account);
    const { run } = await workstation(temp.path, server);
    const piped = await run("manifest", "analyze", "--in", "-");
    expect([piped.code, piped.stdout]).toEqual([2, ""]);
    expect(piped.stderr).toContain("--in -: standard input does not go to a cluster");
    await server.changeHostKey();
    const changed = await run("verify", "--run-dir", "r");
    expect([changed.code, changed.stderr.trimEnd().split("\n").length]).toEqual([1, 1]);
    expect(changed.stderr).toContain("host key of far is another one than in known_hosts");
    writeFileSync(join(server.dir, "known_hosts"), "");
    expect((await run("verify", "--run-dir", "r")).stderr).toContain(
      "host key of far is not known: connect once by hand",
    );
    chownSync(join(server.dir, "user-key"), 0, 0);
    writeFileSync(join(server.dir, "ssh_config"), "Host far\n  HostName nosuch.invalid\n");
    expect((await run("verify", "--run-dir", "r")).stderr).toContain("no host is called far");
  },
  timeoutMs,
);
