import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { sharedCluster } from "../cluster/shared.ts";
import { ensureSshPackages, type FarAccount, makeFarAccount, removeFarAccount } from "../ssh/account.ts";
import { startSshServer } from "../ssh/sshd.ts";
import { startXfer, temporaryDirectory, timeoutMs } from "../stage/harness.ts";

await ensureSshPackages();
afterAll(removeFarAccount);

/** Files of the far user's that make every login shell print a banner. */
const banners: readonly [string, string][] = [
  [".bashrc", "echo Welcome; echo 'to everybody' >&2\n"],
  [".cshrc", "echo Welcome\n"],
  [".config/fish/config.fish", "echo Welcome; echo 'to everybody' >&2\n"],
];

function writeBanners({ home, uid, gid }: FarAccount): void {
  for (const [file, text] of banners) {
    mkdirSync(join(home, file, ".."), { recursive: true });
    writeFileSync(join(home, file), text);
  }
  for (const folder of [".config", ".config/fish"]) chownSync(join(home, folder), uid, gid);
}

/** A workstation with an empty home, an sshd in front of a cluster, and a folder of the user's there. */
async function stage(shell: string) {
  const cluster = await sharedCluster();
  const user = makeFarAccount(shell);
  writeBanners(user);
  const server = await startSshServer(user, [`SetEnv SLURM_CONF=${cluster.confPath}`]);
  const home = temporaryDirectory();
  const far = mkdtempSync(join(cluster.dir, "shared", "a far 'place' "));
  chownSync(far, user.uid, user.gid);
  chmodSync(far, 0o755);
  const env = { XFER_SSH: server.ssh, XDG_CONFIG_HOME: join(home.path, "con fig") };
  return {
    cluster,
    server,
    user,
    home: home.path,
    far,
    xfer: (...words: string[]) => startXfer(words, { cwd: home.path, env }).result,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      home[Symbol.dispose]();
    },
  };
}

test(
  "a profile is one file for this user alone: it is added, shown, edited and removed",
  async () => {
    using temp = temporaryDirectory();
    const env = { XDG_CONFIG_HOME: temp.path };
    const xfer = (...words: string[]) => startXfer(words, { cwd: temp.path, env }).result;
    const mounts = ["--mount", "src:a=/x y", "--mount", "src:b=~/b"];
    const added = await xfer(
      "cluster",
      "add",
      "one",
      "--host",
      "me@far",
      ...mounts,
      "--partition",
      "p",
      "--json",
    );
    expect(added.stderr).toBe("");
    const profile = {
      schema: "xfer.cluster.v1",
      name: "one",
      host: "me@far",
      run_root: "~/xfer-runs",
      partition: "p",
      mounts: [
        { root: "src:a", path: "/x y" },
        { root: "src:b", path: "~/b" },
      ],
    };
    expect(JSON.parse(added.stdout)).toEqual(profile);
    const file = join(temp.path, "xfer", "clusters", "one.json");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await xfer("cluster", "add", "one", "--host", "x")).toMatchObject({
      code: 2,
      stderr: "xfer: a cluster is called one already: change it with xfer cluster edit one\n",
    });
    const edited = await xfer(
      "cluster",
      "edit",
      "one",
      "--partition",
      "",
      "--mount",
      "",
      "--account",
      "acc",
      "--json",
    );
    const { partition: _, ...rest } = profile;
    expect(JSON.parse(edited.stdout)).toEqual({ ...rest, account: "acc", mounts: [] });
    expect((await xfer("cluster", "edit", "one", "--run-root", "runs")).stderr).toContain(
      "--run-root: must be an",
    );
    await xfer("cluster", "edit", "one", "--mount", "a:=/mnt");
    const run = ["run", "--source", "a:b", "--dest", "c:d", "--cluster", "one", "--mem", "4G"];
    const told = JSON.parse((await xfer(...run, "--explain", "--json")).stdout);
    expect(told).toMatchObject({ schema: "xfer.explain.v1", command: "xfer run", cluster: "one" });
    expect(told.flags).toEqual(
      expect.arrayContaining([
        { flag: "mem", value: "4G", from: "flag" },
        { flag: "sbatch-extras", value: "--account=acc", from: "profile" },
        { flag: "list-root", value: "/mnt/b", from: "profile" },
        { flag: "time-limit", value: "24:00:00", from: "default" },
      ]),
    );
    expect(existsSync(join(temp.path, "run"))).toBe(false);
    await xfer("cluster", "edit", "one", "--mount", "");
    const listed = await xfer("cluster", "list", "--json");
    expect(JSON.parse(listed.stdout).clusters).toEqual([{ ...rest, account: "acc", mounts: [] }]);
    expect((await xfer("cluster", "show", "one")).stdout).toBe(
      "one\n  host      me@far\n  run root  ~/xfer-runs\n  account   acc\n",
    );
    expect(await xfer("cluster", "remove", "one")).toMatchObject({ code: 0, stdout: "one: removed\n" });
    expect(existsSync(file)).toBe(false);
    expect((await xfer("cluster", "show", "one")).stderr).toContain(
      "no cluster is called one: there is none yet",
    );
  },
  timeoutMs,
);

describe.each(["/bin/bash", "/usr/bin/tcsh", "/usr/bin/fish"])(
  "behind a login shell %s with a banner",
  (shell) => {
    test(
      "a cluster is probed, and its rclone.conf is made and checked, on a compute node too",
      async () => {
        await using all = await stage(shell);
        const conf = join(all.far, 'it\'s "new"', "rclone.conf");
        const place = ["--run-root", join(all.far, "run $root"), "--rclone-config", conf];
        const words = ["--host", all.server.host, "--image", all.cluster.imageDir, ...place];
        expect((await all.xfer("cluster", "add", "weka", ...words)).code).toBe(0);
        const probed = await all.xfer("cluster", "probe", "--json", "--through-srun");
        expect(probed.code, probed.stderr).toBe(0);
        expect(JSON.parse(probed.stdout).clusters).toMatchObject([
          {
            name: "weka",
            problem: null,
            max_array_size: 10001,
            pyxis: true,
            rclone_config: { path: conf, state: "missing" },
            run_root_state: "writable",
            best_partition: "transfer",
            node: { rclone: expect.stringMatching(/^v1\./), run_root_executes: true },
          },
        ]);
        expect(readdirSync(all.far)).toEqual([]);
        writeFileSync(join(all.home, "rclone.conf"), "[there]\ntype = local\n");
        const deploy = [
          "rclone-config",
          "deploy",
          "--cluster",
          "weka",
          "--from",
          "rclone.conf",
          "--remotes",
          "there",
        ];
        const deployed = await all.xfer(...deploy, "--yes");
        expect(deployed.code, deployed.stderr).toBe(0);
        const check = ["rclone-config", "check", "--cluster", "weka", "--remotes"];
        const checked = await all.xfer(...check, "there", "--through-srun");
        expect(checked.stdout).toBe(
          `weka: ${conf}, mode 0600\n  there   there\n  there:  answers a compute node\n`,
        );
        expect(checked.code).toBe(0);
        expect(await all.xfer(...check, "there,other")).toMatchObject({
          code: 1,
          stdout: expect.stringContaining("other  missing"),
        });
        chmodSync(conf, 0o644);
        const open = await all.xfer(...check, "there");
        expect(open.code).toBe(1);
        expect(open.stdout).toContain(
          "others can read it (mode 0644), and it holds credentials: chmod 600 '",
        );
        const out = join(all.home, "never.jsonl");
        const build = ["manifest", "build", "--cluster", "weka", "--source", "there:", "--dest", "/x"];
        expect(await all.xfer(...build, "--out", out)).toMatchObject({
          code: 2,
          stderr: expect.stringMatching(
            /^xfer: far:.*: others can read it \(mode 0644\).*: chmod 600 .* there\n$/,
          ),
        });
        expect(existsSync(out)).toBe(false);
        const refused = await all.xfer(...deploy, "--yes", "--replace");
        expect(refused.code).toBe(1);
        expect(refused.stderr).toContain("nothing was sent: ");
      },
      timeoutMs,
    );
  },
);

test(
  "a command that is handed over has partition, image and rclone.conf from the profile",
  async () => {
    await using all = await stage("/bin/bash");
    const source = join(all.far, "a set");
    mkdirSync(source);
    writeFileSync(join(source, "one"), "1");
    writeFileSync(join(all.user.home, "r.conf"), `[here]\ntype = alias\nremote = ${source}\n`, {
      mode: 0o600,
    });
    chownSync(join(all.user.home, "r.conf"), all.user.uid, all.user.gid);
    const paths = ["--run-root", join(all.far, "runs"), "--rclone-config", "~/r.conf"];
    const words = ["--host", "far", "--image", all.cluster.imageDir, "--partition", "transfer", ...paths];
    await all.xfer("cluster", "add", "weka", ...words);
    const roots = ["--source", "here:", "--dest", join(all.far, "copy")];
    const built = await all.xfer(
      "manifest",
      "build",
      "--cluster",
      "weka",
      ...roots,
      "--out",
      "m.jsonl",
      "--json",
    );
    expect(built.code, built.stderr).toBe(0);
    expect(JSON.parse(built.stdout)).toMatchObject({ objects: 1, bytes: 1 });
    // The binary that is there is the one in use: it stays.
    const cleaned = await all.xfer("cluster", "clean", "weka", "--yes", "--json");
    expect(JSON.parse(cleaned.stdout).binaries).toMatchObject([{ keep: "this version", removed: false }]);
  },
  timeoutMs,
);

test(
  "clusters that cannot be reached are a line each, beside one that can",
  async () => {
    await using all = await stage("/bin/bash");
    const { server, home } = all;
    const key = (name: string) => {
      Bun.spawnSync(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", join(home, name)]);
      return join(home, name);
    };
    const other = readFileSync(`${key("other")}.pub`, "utf8");
    writeFileSync(join(home, "changed_hosts"), `[127.0.0.1]:${server.port} ${other}`);
    const alike = readFileSync(join(server.dir, "ssh_config"), "utf8");
    const hosts = [
      ["unknown", `  UserKnownHostsFile /dev/null`],
      ["changed", `  UserKnownHostsFile "${join(home, "changed_hosts")}"`],
      ["refused", `  IdentityFile "${key("mine")}"`],
    ].map(([host, line]) => {
      const option = line?.trim().split(" ")[0] ?? "";
      return alike
        .replace("Host far", `Host ${host}`)
        .replace(new RegExp(`^  ${option} .*$`, "m"), line ?? "");
    });
    writeFileSync(join(server.dir, "ssh_config"), [alike, ...hosts].join("\n"));
    for (const name of ["unknown", "changed", "refused", "no-such.invalid", "far"]) {
      await all.xfer("cluster", "add", name, "--host", name, "--run-root", all.far);
    }
    const probed = await all.xfer("cluster", "probe");
    expect(probed.code).toBe(1);
    const lines = probed.stdout.split("\n");
    expect(lines[1]).toStartWith("far ");
    expect(lines.slice(2, 6)).toEqual([
      expect.stringMatching(/^changed: the host key of changed is another one than in known_hosts: /),
      expect.stringMatching(/^no-such\.invalid: no host is called no-such\.invalid: /),
      expect.stringMatching(/^refused: refused refused this user's keys: /),
      expect.stringMatching(/^unknown: the host key of unknown is not known: /),
    ]);
  },
  timeoutMs,
);

test(
  "of an rclone.conf that is deployed, no secret is in an argument, an environment, a log or an output",
  async () => {
    await using all = await stage("/bin/bash");
    // A login shell that takes its time: what it was started with can be seen meanwhile.
    writeFileSync(join(all.user.home, ".bashrc"), "sleep 0.3\n");
    const conf = join(all.far, "rclone.conf");
    const old = "# mine\n[old]\ntype = s3\nsecret_access_key = OldSecret\n# also mine\n[b]\ntype = local";
    writeFileSync(conf, old, { mode: 0o600 });
    chownSync(conf, all.user.uid, all.user.gid);
    const local = [
      ...[
        "# key = CommentSecret",
        "[a]",
        "type = s3",
        "secret_access_key = FirstSecret",
        "; was NoteSecret",
        "",
      ],
      ...[
        "[b]",
        "type = s3",
        "secret_access_key = SecondSecret",
        "[c]",
        "type = s3",
        "session_token = ThirdSecret",
      ],
    ];
    writeFileSync(join(all.home, "rclone.conf"), local.join("\n"));
    await all.xfer("cluster", "add", "far", "--host", "far", "--run-root", all.far, "--rclone-config", conf);
    const deploy = [
      "rclone-config",
      "deploy",
      "--cluster",
      "far",
      "--from",
      "rclone.conf",
      "--remotes",
      "a,b",
      "-v",
    ];
    const without = await all.xfer(...deploy);
    expect(without).toMatchObject({ code: 2, stdout: "" });
    expect(without.stderr).toContain("nothing was sent: --yes sends");
    const twice = await all.xfer(...deploy, "--yes");
    expect(twice.code).toBe(1);
    expect(twice.stderr).toContain("has b already: --replace replaces it");
    expect(readFileSync(conf, "utf8")).toBe(old);
    const seen = new Set<string>();
    let isOver = false;
    const running = all.xfer(...deploy, "--yes", "--replace").finally(() => {
      isOver = true;
    });
    while (!isOver) {
      for (const text of processTexts()) seen.add(text);
      await Bun.sleep(2);
    }
    const deployed = await running;
    expect(deployed.code, deployed.stderr).toBe(0);
    expect([...seen].some((text) => text.includes("XFER_SCRIPT="))).toBe(true);
    const outputs = [without, twice, deployed].flatMap(({ stdout, stderr }) => [stdout, stderr]);
    const log = readFileSync(join(all.server.dir, "log"), "utf8");
    const profile = readFileSync(join(all.home, "con fig/xfer/clusters/far.json"), "utf8");
    for (const text of [...seen, ...outputs, log, profile]) expect(text).not.toContain("Secret");
    expect(readdirSync(all.far)).toEqual(["rclone.conf"]);
    expect(statSync(conf)).toMatchObject({ uid: all.user.uid });
    expect(statSync(conf).mode & 0o777).toBe(0o600);
    expect(readFileSync(conf, "utf8")).toBe(
      "# mine\n[old]\ntype = s3\nsecret_access_key = OldSecret\n# also mine\n\n" +
        "[a]\ntype = s3\nsecret_access_key = FirstSecret\n\n[b]\ntype = s3\nsecret_access_key = SecondSecret\n",
    );
  },
  timeoutMs,
);

/** The arguments and the environment of every process but this one. */
function processTexts(): string[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  return pids.flatMap((pid) =>
    ["cmdline", "environ"].map((file) => {
      try {
        return readFileSync(`/proc/${pid}/${file}`, "utf8");
      } catch {
        // It has ended.
        return "";
      }
    }),
  );
}
