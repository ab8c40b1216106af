import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { ensureFarBinary } from "../../lib/cluster/far-binary.ts";
import { type FarEnd, sshHost, thisHost } from "../../lib/cluster/far-end.ts";
import { localBinaries } from "../../lib/cluster/local-binaries.ts";
import type { XferError } from "../../lib/system/errors.ts";
import { splitWords } from "../../lib/system/shell-words.ts";
import { version } from "../../package.json" with { type: "json" };
import { ensurePackages, program } from "../setup/packages.ts";
import { type SshServer, startSshServer } from "../ssh/sshd.ts";
import { binary, temporaryDirectory, timeoutMs } from "../stage/harness.ts";

const temp = temporaryDirectory("xfer far 'q' ");
const mounts: string[] = [];
let server: SshServer;

beforeAll(async () => {
  await ensurePackages([program("openssh-server", "sshd"), program("openssh-client", "ssh")]);
  server = await startSshServer({ name: "root", uid: 0, gid: 0 });
}, timeoutMs);

afterAll(async () => {
  for (const path of mounts) Bun.spawnSync(["umount", "-l", path]);
  await server[Symbol.asyncDispose]();
  temp[Symbol.dispose]();
});

const overSsh = (): FarEnd => sshHost(server.host, splitWords(server.ssh, "ssh"));
const ends: [string, () => FarEnd][] = [
  ["this host", thisHost],
  ["a host behind sshd", overSsh],
];

/** A file system of its own at the far end. */
function mount(name: string, options: string): string {
  const path = join(temp.path, name);
  mkdirSync(path);
  const { success, stderr } = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path]);
  if (!success) throw new Error(stderr.toString());
  mounts.push(path);
  return path;
}

interface Wish {
  runRoot: string;
  given?: string;
  onProgress?: (bytes: number) => void;
}

function ensure(end: FarEnd, { runRoot, given, onProgress }: Wish) {
  const env = { XDG_CONFIG_HOME: join(temp.path, "config"), XDG_DATA_HOME: join(temp.path, "data") };
  return ensureFarBinary(end, {
    runRoot,
    version,
    choiceFor: (uname) => localBinaries(uname, { env, version, own: binary, given }),
    ...(onProgress === undefined ? {} : { onProgress }),
    stop: new AbortController().signal,
  });
}

/** What a promise fails with. Under `.rejects` the event loop turns in its own way: seconds pass between two turns. */
const failureOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "no failure",
    (error: Error) => error.message,
  );

const binariesIn = (runRoot: string) => readdirSync(join(runRoot, ".xfer", "bin"));

/** A copy of the binary that says it is for AArch64. */
function forArm(): string {
  const path = join(temp.path, `xfer-${version}-linux-arm64`);
  copyFileSync(binary, path);
  const fd = openSync(path, "r+");
  writeSync(fd, new Uint8Array([183, 0]), 0, 2, 18);
  closeSync(fd);
  return path;
}

describe.each(ends)("on %s", (name, end) => {
  test(
    "the binary is sent once, whole, under a name of its digest, and starts",
    async () => {
      const runRoot = join(temp.path, `runs of ${name}`);
      const sent: number[] = [];
      const path = await ensure(end(), { runRoot, onProgress: (bytes) => sent.push(bytes) });
      expect(path).toMatch(/\/\.xfer\/bin\/xfer-[\d.]+-[0-9a-f]{12}$/);
      expect(path).toStartWith(`${runRoot}/`);
      expect(readFileSync(path).equals(readFileSync(binary))).toBeTrue();
      expect(sent.at(-1)).toBe(statSync(binary).size);
      const again: number[] = [];
      expect(await ensure(end(), { runRoot, onProgress: (bytes) => again.push(bytes) })).toBe(path);
      expect(again).toEqual([]);
      expect(binariesIn(runRoot)).toHaveLength(1);
    },
    timeoutMs,
  );

  test(
    "a binary of another processor is named before anything is sent",
    async () => {
      const runRoot = join(temp.path, `none of ${name}`);
      const given = forArm();
      expect(await failureOf(ensure(end(), { runRoot, given }))).toContain(
        `--cluster-binary: ${given}: is an xfer for linux-arm64: it needs one of linux-x64`,
      );
      expect(existsSync(runRoot)).toBeFalse();
    },
    timeoutMs,
  );
});

/** A small program of this machine, in place of the binary where no more is wanted of it. */
const small = "/bin/bash";

test(
  "a full disk is told with host and path; once there is room the upload goes on",
  async () => {
    const runRoot = mount("small", "size=700k");
    expect(await failureOf(ensure(overSsh(), { runRoot, given: small }))).toMatch(
      /^far:.*small\/\.xfer\/bin\/xfer-.*: cannot be written: .*No space left.*free some space/,
    );
    Bun.spawnSync(["mount", "-o", "remount,size=20m", runRoot]);
    const sent: number[] = [];
    const onProgress = (bytes: number) => sent.push(bytes);
    expect(await failureOf(ensure(overSsh(), { runRoot, given: small, onProgress }))).toMatch(
      /is xfer GNU bash.*, and this one is .*: both must be of one version/,
    );
    expect(sent[0]).toBeGreaterThan(500_000);
    expect(sent.at(-1)).toBe(statSync(small).size);
  },
  timeoutMs,
);

test(
  "a file system without the right to execute is told with the mend",
  async () => {
    const runRoot = mount("noexec", "size=20m,noexec");
    expect(await failureOf(ensure(overSsh(), { runRoot, given: small }))).toMatch(
      /^far:.*xfer-.*: may not be executed \(its file system is mounted noexec\?\): choose a run root/,
    );
  },
  timeoutMs,
);

test(
  "an upload that is cut in the middle is gone on from",
  async () => {
    const runRoot = join(temp.path, "cut");
    let isCut = false;
    const cut = (bytes: number) => {
      if (isCut || bytes < 40_000_000) return;
      isCut = true;
      void server.cut();
    };
    const lost = await ensure(overSsh(), { runRoot, onProgress: cut }).catch((error: XferError) => error);
    expect(lost).toMatchObject({
      exitCode: 75,
      message: expect.stringMatching(/connection to far was lost/),
    });
    const [part = ""] = binariesIn(runRoot);
    expect(part).toEndWith(".part");
    const sent: number[] = [];
    const path = await ensure(overSsh(), { runRoot, onProgress: (bytes) => sent.push(bytes) });
    expect(sent[0]).toBeGreaterThan(5_000_000);
    expect(readFileSync(path).equals(readFileSync(binary))).toBeTrue();
    expect(binariesIn(runRoot)).toHaveLength(1);
  },
  timeoutMs,
);

test(
  "what arrived and is not what was sent is thrown away, and sent anew",
  async () => {
    const runRoot = join(temp.path, "wrong");
    const path = await ensure(thisHost(), { runRoot });
    Bun.spawnSync(["rm", path]);
    writeFileSync(`${path}.part`, "something else");
    await ensure(thisHost(), { runRoot });
    expect(readFileSync(path).equals(readFileSync(binary))).toBeTrue();
  },
  timeoutMs,
);
