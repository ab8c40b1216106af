import { chmodSync, chownSync, cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../cluster/cluster.ts";
import { sampleObjects } from "../data/fill.ts";
import { S3Endpoint } from "../s3/endpoint.ts";
import { limitMs } from "../setup/pace.ts";
import { startSshServer } from "../ssh/sshd.ts";
import { binary, temporaryDirectory, until } from "../stage/harness.ts";
import { writeEarlierRun } from "./earlier-run.ts";
import type { Ended } from "./told.ts";

/** Where the commands of a page are run: an empty folder, with what the page takes for granted around it. */
export interface World extends AsyncDisposable {
  /** Folders as a page names them, and where they are. */
  folders: readonly (readonly [page: string, real: string])[];
  /** Runs one line of shell in the world's folder. */
  run(command: string): Promise<Ended>;
  /** Waits for a job, as the reader does before the next command. */
  ended(jobId: string): Promise<void>;
  /** What is not as the page's reader believes at its end; nothing is asked where the page's own output tells all. */
  problems?(): Promise<string[]>;
}

/** An ordinary machine: xfer and rclone on PATH, no Slurm. With a store, rclone.conf names it `store`; it has a `bucket`. */
export async function oneMachine({ store = false } = {}): Promise<World> {
  // A plain name: commands of a page do not quote it.
  const temp = temporaryDirectory("xfer-docs-");
  const home = join(temp.path, "home");
  const work = join(temp.path, "work");
  const bin = join(home, "bin");
  for (const path of [home, work, bin]) mkdirSync(path);
  symlinkSync(binary, join(bin, "xfer"));
  const endpoint = store ? await S3Endpoint.start({ buckets: ["bucket"] }) : undefined;
  if (endpoint) {
    mkdirSync(join(home, ".config", "rclone"), { recursive: true });
    const conf = join(home, ".config", "rclone", "rclone.conf");
    writeFileSync(conf, endpoint.rcloneSection("store"), { mode: 0o600 });
  }
  const env = { HOME: home, PATH: `${bin}:${process.env.PATH}`, LANG: "C.UTF-8" };
  return {
    folders: [
      ["/home/me/work", work],
      ["/home/me", home],
    ],
    async run(command) {
      const child = Bun.spawn(["bash", "-c", command], {
        ...{ cwd: work, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
      });
      const [code, stdout, stderr] = await Promise.all([
        child.exited,
        child.stdout.text(),
        child.stderr.text(),
      ]);
      return { code, stdout, stderr };
    },
    async ended() {},
    async [Symbol.asyncDispose]() {
      await endpoint?.stop();
      temp[Symbol.dispose]();
    },
  };
}

/**
 * A workstation: another home and folder than the cluster's, and an ssh that reaches a login node as `login`. Paths of the
 * page are the cluster's.
 */
export async function workstation(cluster: Cluster): Promise<World> {
  const login = await loginNode(cluster);
  const temp = temporaryDirectory("xfer-docs-");
  const bin = join(temp.path, "bin");
  const work = join(temp.path, "work");
  for (const path of [bin, work]) mkdirSync(path);
  symlinkSync(binary, join(bin, "xfer"));
  // A locked account, which useradd makes, is refused by sshd.
  Bun.spawnSync(["usermod", "--password", "*", cluster.user.name]);
  const path = `PATH="${join(binary, "..")}:${process.env.PATH}"`;
  const slurm = Object.entries(cluster.env).map(([name, value]) => `${name}="${value}"`);
  const server = await startSshServer(cluster.user, [`SetEnv ${[...slurm, path].join(" ")}`]);
  const env = {
    ...{ HOME: temp.path, PATH: `${bin}:${process.env.PATH}`, LANG: "C.UTF-8", TMPDIR: temp.path },
    XFER_SSH: server.ssh,
  };
  return {
    folders: login.folders,
    async run(command) {
      const child = Bun.spawn(["bash", "-c", command], {
        ...{ cwd: work, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
      });
      const [code, stdout, stderr] = await Promise.all([
        child.exited,
        child.stdout.text(),
        child.stderr.text(),
      ]);
      return { code, stdout, stderr };
    },
    ended: (jobId) => login.ended(jobId),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await login[Symbol.asyncDispose]();
      temp[Symbol.dispose]();
    },
  };
}

/** How many objects lie below `src:bucket/set`, and how large they are at most. */
const sample = { objects: 240, largestBytes: 100_000 };

/**
 * A login node: an ordinary user, a real Slurm with the partition `transfer`, /shared and /home/me, stores `src` and `dst`
 * with a `bucket` each. With an earlier run, the folder `earlier` is one of the Python xfer between their prefixes `set`,
 * whose shard 0 is marked done although the destination lacks two of its objects.
 */
export async function loginNode(
  cluster: Cluster,
  {
    earlier = false,
    prepare = (_source: S3Endpoint, _dest: S3Endpoint, _shared: string): Promise<void> => Promise.resolve(),
  } = {},
): Promise<World> {
  const dir = await cluster.sharedDir("docs");
  const source = await S3Endpoint.start({ buckets: ["bucket"] });
  const dest = await S3Endpoint.start({ buckets: ["bucket"] });
  const objects = [...sampleObjects(sample.objects, sample.largestBytes)];
  for (const { key, body, mtime } of objects) source.put("bucket", `set/${key}`, body, { mtime });
  const home = join(dir, "home", "me");
  const work = join(dir, "work");
  const shared = join(dir, "shared");
  for (const path of [home, work, shared, join(dir, "bin")]) mkdirSync(path, { recursive: true });
  cpSync(cluster.imageSqsh, join(shared, "rclone.sqsh"));
  cpSync(binary, join(dir, "bin", "xfer"));
  const conf = join(home, "rclone.conf");
  writeFileSync(conf, `${source.rcloneSection("src")}\n${dest.rcloneSection("dst")}\n`);
  chmodSync(conf, 0o600);
  if (earlier) {
    writeEarlierRun(join(work, "earlier"), { source: "src:bucket/set", dest: "dst:bucket/set" }, objects);
    const arrived = objects.slice(0, objects.length / 2 - 2);
    for (const { key, body, mtime } of arrived) dest.put("bucket", `set/${key}`, body, { mtime });
  }
  await prepare(source, dest, shared);
  for (const path of [conf, home, work, shared]) chownSync(path, cluster.user.uid, cluster.user.gid);
  const env = { HOME: home, PATH: `${join(dir, "bin")}:${process.env.PATH}`, LANG: "C.UTF-8" };
  return {
    folders: [
      ["/home/me", home],
      ["/shared", shared],
    ],
    run: (command) => cluster.run(["bash", "-c", command], { asUser: true, cwd: work, env }),
    ended: (jobId) => cluster.waitForJob(jobId, limitMs(300_000)),
    async [Symbol.asyncDispose]() {
      await source.stop();
      await dest.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** The object that vanishes from the source once it was listed, and where the reader has it still. */
const vanishing = { key: "set-4/run-14/object-00200.dat", kept: "kept.dat" };

/**
 * A login node, as `loginNode` has it, where all goes wrong at once: the source fails a few requests and has lost an object
 * that it lists, the destination is slow and refuses what is more than a few requests at a time, and a node dies at the first
 * look at the run. The reader has the lost object as /shared/kept.dat; copied to its place, it is there again.
 */
export async function troubledNode(cluster: Cluster): Promise<World> {
  let isLost = true;
  let hasLostNode = false;
  const stores: S3Endpoint[] = [];
  const login = await loginNode(cluster, {
    prepare: async (source, dest, shared) => {
      stores.push(source, dest);
      const key = `set/${vanishing.key}`;
      writeFileSync(join(shared, vanishing.kept), (await source.get("bucket", key)) ?? "");
      const isFound = ({ kind, key: asked }: { kind: string; key: string }) => {
        if (asked === key && kind === "PUT") isLost = false;
        return asked === key && kind !== "PUT" && isLost;
      };
      source.inject({ match: isFound, action: "not-found" });
      source.inject({ kinds: ["GET"], action: "internal-error", times: 10 });
      dest.inject({ kinds: ["PUT"], beyond: 6, action: "slowdown", times: 60 });
      dest.inject({ kinds: ["PUT"], action: { delayMs: 400 } });
    },
  });
  return {
    ...login,
    async run(command) {
      if (/xfer status/.test(command) && !hasLostNode) {
        hasLostNode = true;
        await until("the first objects", () => (stores[1]?.keys("bucket").length ?? 0) > 5);
        await cluster.nodeDown("n1", { announce: true });
      }
      return login.run(command);
    },
    async problems() {
      const [source, dest] = stores;
      if (!source || !dest) return ["no stores"];
      const different: string[] = [];
      for (const key of source.keys("bucket")) {
        const [one, other] = await Promise.all([source.get("bucket", key), dest.get("bucket", key)]);
        if (!one || !other || !Buffer.from(one).equals(other)) different.push(key);
      }
      return different;
    },
    async [Symbol.asyncDispose]() {
      if (hasLostNode) await cluster.nodeUp("n1");
      await login[Symbol.asyncDispose]();
    },
  };
}
