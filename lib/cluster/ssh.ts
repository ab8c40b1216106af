import { randomBytes } from "node:crypto";
import { mkdirSync, statSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { readTextIfExists, removeIfExists } from "../system/durable.ts";
import { operationFailed, XferError } from "../system/errors.ts";
import { findProgram, runInForeground, runProgram } from "../system/process.ts";
import { splitWords } from "../system/shell-words.ts";
import { type FarEnd, sshHost } from "./far-end.ts";
import { sshFailure } from "./ssh-failure.ts";

/** The words that start ssh: those of XFER_SSH, as GIT_SSH_COMMAND does it for git; or ssh. */
function sshWords(env: Readonly<Record<string, string | undefined>>): [string, ...string[]] {
  const [name = "ssh", ...rest] = splitWords(env.XFER_SSH ?? "ssh", "XFER_SSH");
  return [name, ...rest];
}

/** How long a connection that nobody uses stays open, in seconds. */
const persistSeconds = 300;

/** Alive messages to a host that is silent: four unanswered ones, a minute, end the connection. */
const options = [
  "-T",
  "-o",
  "ConnectTimeout=20",
  "-o",
  "ServerAliveInterval=15",
  "-o",
  "ServerAliveCountMax=4",
];

/**
 * Opens one connection to a host, which all calls share, and gives back the host's end. The user's own configuration,
 * agent, jump hosts and open connections are used. Without a terminal nothing is asked (BatchMode).
 * Throws when the host cannot be reached.
 */
export async function connect(host: string, asks: boolean): Promise<FarEnd> {
  const [program, ...words] = sshWords(process.env);
  findProgram(program);
  const base = [program, ...words, ...options, "-o", `BatchMode=${asks ? "no" : "yes"}`];
  const control = ["-o", `ControlPath=${await controlPathOf(base, host)}`];
  const shared = [...base, ...control];
  const check = await runProgram([...shared, "-O", "check", "--", host]);
  if (check.code !== 0) await openMaster([...shared, "-o", "ControlMaster=yes"], host);
  return sshHost(host, [...shared, "-o", "ControlMaster=no"]);
}

/** The user's own ControlPath for a host, or one in a folder of this user's alone. */
async function controlPathOf(base: readonly string[], host: string): Promise<string> {
  const { code, stdout, stderr } = await runProgram([...base, "-G", "--", host]);
  if (code !== 0) {
    const said = stderr.trim().split("\n").at(-1) || `exit code ${code} of "ssh -G"`;
    throw operationFailed(`ssh cannot be asked about ${host}: ${said}`);
  }
  const own = /^controlpath (.+)$/m.exec(stdout)?.[1];
  if (own !== undefined && own !== "none") return own;
  return join(socketFolder(), "%C");
}

/** A socket's path may have 104 bytes: %C has 40, and ssh adds 17 while it binds. */
const folderBytesMax = 45;

/** ssh takes an option's value apart as a line of its configuration. */
const plainPath = /^[\w./-]+$/;

function socketFolder(): string {
  const { uid } = userInfo();
  const wanted = [process.env.XDG_RUNTIME_DIR, tmpdir(), "/tmp"]
    .filter((dir) => dir !== undefined && dir !== "")
    .map((dir) => join(dir as string, `xfer-ssh-${uid}`));
  const folder =
    wanted.find((dir) => dir.length <= folderBytesMax && plainPath.test(dir)) ?? `/tmp/xfer-ssh-${uid}`;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid: owner, mode } = statSync(folder);
  if (owner !== uid || (mode & 0o077) !== 0) {
    throw operationFailed(`${folder}: belongs to somebody else or is open to others: remove it`);
  }
  return folder;
}

/**
 * Opens the connection that the others share. It is started in the foreground, where ssh may ask for a password or a second
 * factor, and goes to the background when it stands.
 */
async function openMaster(ssh: readonly string[], host: string): Promise<void> {
  const [name = "", ...rest] = ssh;
  // What goes to the background keeps its stderr: a pipe would never end.
  const errorsPath = join(socketFolder(), `opening-${process.pid}-${randomBytes(4).toString("hex")}.log`);
  const persist = ["-o", `ControlPersist=${persistSeconds}`, "-fN", "--", host];
  const code = await runInForeground([findProgram(name), ...rest, ...persist], errorsPath);
  const text = readTextIfExists(errorsPath) ?? "";
  removeIfExists(errorsPath);
  if (code === 0) return;
  const failure = sshFailure(host, text, false);
  throw new XferError(failure.text, failure.exitCode);
}
