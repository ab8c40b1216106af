import { STATUS_CODES } from "node:http";
import { classifyMessage, type FailureClass, isTransient } from "./failure-class.ts";
import { s3Failure } from "./s3-failure.ts";

/** Why a program failed. */
export interface Cause {
  class: FailureClass;
  /** One line for people. */
  message: string;
  /** Whether only the user can cure the failure, so that it is the same on every node and at any time. */
  final: boolean;
}

/** Facts that help to read the messages of a container. */
export interface Known {
  /** The rclone.conf that a container mounts, as this host names it. */
  configPath?: string | undefined;
}

const lineMax = 500;

/** A message on one line, of at most 500 characters, without numbers of requests and the queries of addresses. */
export function oneLine(message: string): string {
  const s3 = s3Failure(message);
  const text = s3 ? s3Line(s3) : message;
  const plain = text
    .replace(/\n\t[0-9a-f]{8} [^\n]*/g, "")
    .replace(/("https?:\/\/[^"?]*)\?[^"]*"/g, '$1"')
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim();
  return plain.length > lineMax ? `${plain.slice(0, lineMax - 3)}...` : plain;
}

function s3Line({
  before,
  code,
  status,
  said,
  operation,
}: NonNullable<ReturnType<typeof s3Failure>>): string {
  const where = before === "" ? "" : `${before}: `;
  const of = operation === undefined ? "" : ` (${operation})`;
  if (code === undefined)
    return `${where}${said}${status === 0 || status === 200 ? "" : ` (status ${status})`}${of}`;
  // The answer to a HEAD has no body: the SDK puts the status twice.
  if (said === STATUS_CODES[status] && code === said.replaceAll(" ", ""))
    return `${where}${status} ${said}${of}`;
  return `${where}${code}: ${said}${of}`;
}

/** The words that rclone puts before a cause. */
const rclonesFrame =
  /^(?:Attempt \d+\/\d+ failed with \d+ errors and: |Failed to lsjson(?: with \d+ errors: last error was)?: (?:error in ListJSON: )?)+/;

/** The cause that one message of rclone's, or an error of xfer's, tells. */
export function causeOf(message: string): Cause {
  const failure = classifyMessage(message);
  // The store refuses a node with a wrong clock as it refuses a wrong key, but the clock of another node may be right.
  const final = !isTransient(failure) && !/RequestTimeTooSkewed/.test(message);
  return { class: failure, message: oneLine(message.replace(rclonesFrame, "")), final };
}

/** Messages about a container that are the same on every node and at any time. */
const finalInFrame =
  /returned error code: 40[134]\b|failed to execute: \/bin\/sh: No such file|execve\(\): \S+: (?:No such file or directory|Permission denied)|mount (?:target|source) must be|--container-mounts: invalid format|executable file not found|could not add mount entry|\brclone: (?:command )?not found/;

function containerCause(said: string, known: Known, hint = ""): Cause {
  const missingMount = /source path does not exist: (.*)$|mount source (\S+) doesn't exist/.exec(said);
  const missing = missingMount?.[1] ?? missingMount?.[2];
  const isConf = missing !== undefined && missing === known.configPath;
  const more = isConf ? " (rclone.conf is not on this node)" : hint;
  return { class: "container", message: oneLine(said) + more, final: isConf || finalInFrame.test(said) };
}

const daemonPrefix = /^(?:slurmstepd(?:-\S+)?|srun): (?:error: )?/;
const dated = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d /;
/** How srun reports that its task has ended, which tells less than the lines before it. */
const exitNotice = /^srun: error: \S+: task \d+: /;
/** Lines that srun and pyxis print while all goes well. */
const harmless =
  /^(?:slurmstepd\S*: |srun: )?pyxis: import(?:ing|ed) |^srun: (?:job|jobid|Job) \S+ |^srun: (?:lua|debug|info)|^srun: Job step creation temporarily disabled/;
/** Lines that enroot prints about its work. */
const enrootNoise = /^\[INFO\]|^Parallel unsquashfs|^\d+ inodes|^created \d+|^\[[=|/\\ -]*\]|^$/;
const frame =
  /^(?:child \d+ failed with error code: \d+|failed to (?:create container filesystem|import docker image)|printing enroot log file|container start failed with error code|couldn't start container)/;
const noRclone =
  /execve\(\): (?:\S*\/)?rclone: No such file|"rclone": executable file not found|\brclone: (?:command )?not found/;
const noSh = /failed to execute: \/bin\/sh|execve\(\): \S*sh: No such file/;

/** How many messages of a kind are kept from the start; as many are kept from the end. */
const keptMax = 20;

/**
 * Reads the stderr of an rclone and of the programs that run it (srun, pyxis, enroot, apptainer), and tells the cause of
 * the failure. "Frame" means the lines that pyxis prints around enroot's log. The first row that applies counts:
 *
 * | stderr has | cause |
 * |---|---|
 * | an error of rclone's own | the last one, since the container had started |
 * | pyxis's frame with lines of enroot's log | these lines |
 * | an error of pyxis outside of the frame, such as a mount source | that error |
 * | slurmstepd that could not execute rclone or sh; apptainer's FATAL | that line |
 * | pyxis's frame alone | the step that failed, and that enroot said nothing |
 * | other lines | the last line that is more than an exit notice |
 */
export class StderrCause {
  readonly #known: Known;
  readonly #rclone: string[] = [];
  readonly #enroot: string[] = [];
  readonly #pyxis: string[] = [];
  readonly #frame: string[] = [];
  readonly #container: string[] = [];
  readonly #other: string[] = [];
  /** The list whose last message the next line may continue, since a message of rclone's can have several lines. */
  #open: string[] | undefined;
  #inEnrootLog = false;

  constructor(known: Known = {}) {
    this.#known = known;
  }

  /** Takes an error that rclone has said in its JSON log. */
  rclone(message: string): void {
    this.#open = undefined;
    keep(this.#rclone, message);
  }

  /** Takes a line that is not JSON. */
  line(text: string): void {
    const line = text.trimEnd();
    if (dated.test(line)) this.#rclonesPlain(line.replace(dated, ""));
    else if (exitNotice.test(line)) this.#add(this.#other, line);
    else if (harmless.test(line)) this.#open = undefined;
    else if (daemonPrefix.test(line) || /^(?:FATAL:|apptainer|pyxis: )/.test(line)) this.#runners(line);
    else if (noRclone.test(line)) this.#add(this.#container, line);
    else if (this.#open && line.trim() !== "") this.#goOn(line);
    else if (/error|fail|fatal|critical|unable|not found|denied|killed|unrecognized/i.test(line)) {
      this.#add(this.#other, line);
    }
  }

  #add(list: string[], text: string): void {
    this.#open = undefined;
    keep(list, text);
  }

  #rclonesPlain(text: string): void {
    this.#open = undefined;
    if (!/^(?:Failed to |Fatal error: |CRITICAL: |ERROR ?: |NOTICE: |NOTICE ?: )/.test(text)) return;
    if (/^NOTICE ?: (?!Failed to )/.test(text)) {
      if (classifyMessage(text) !== "unknown") keep(this.#other, text);
      return;
    }
    keep(this.#rclone, text);
    this.#open = this.#rclone;
  }

  #goOn(line: string): void {
    const list = this.#open;
    const last = list?.pop();
    if (list && last !== undefined) list.push(last.length > 4_000 ? last : `${last}\n${line}`);
  }

  #runners(line: string): void {
    this.#open = undefined;
    const said = line.replace(daemonPrefix, "");
    const ofPyxis = /^pyxis: (.*)$/s.exec(said)?.[1];
    if (ofPyxis === undefined) {
      const list = /^FATAL:|execve\(\)|unrecognized option '--container-/.test(said)
        ? this.#container
        : this.#other;
      // Messages about a failed plugin do not tell why it failed.
      if (!/spank|task_init\(\) failed|task_p_pre_launch|TaskProlog/i.test(said)) keep(list, said);
    } else if (/^ {4}/.test(ofPyxis)) {
      if (!enrootNoise.test(ofPyxis.trim())) keep(this.#enroot, ofPyxis.trim());
    } else if (frame.test(ofPyxis)) {
      this.#inEnrootLog ||= ofPyxis.startsWith("printing enroot log file");
      keep(this.#frame, ofPyxis);
    } else keep(this.#pyxis, ofPyxis);
  }

  /** The cause of the failure; undefined when no line tells one. */
  cause(): Cause | undefined {
    const own = this.#rclone.at(-1);
    if (own !== undefined) return causeOf(this.#telling(own));
    const known = this.#known;
    const [pyxis] = this.#pyxis
      .filter((line) => !/^could not add mount entry/.test(line))
      .concat(this.#pyxis);
    if (this.#enroot.length > 0) {
      const telling = this.#enroot.filter((line) =>
        /error|fail|cannot|denied|no such|unable|curl/i.test(line),
      );
      const said = (telling.length > 0 ? telling : this.#enroot).slice(0, 3).join("; ");
      return containerCause(said, known, noSh.test(said) ? " (the image holds no sh)" : "");
    }
    if (pyxis !== undefined) return containerCause(pyxis, known);
    const [container] = this.#container;
    if (container !== undefined) return containerCause(container, known, hintFor(container));
    const framed = this.#frame.find((line) => line.startsWith("failed to ")) ?? this.#frame[0];
    if (framed !== undefined) {
      const hint = this.#inEnrootLog ? " (enroot says nothing of it: is it installed on this node?)" : "";
      return containerCause(framed, known, hint);
    }
    const other = this.#other.findLast((line) => !exitNotice.test(line)) ?? this.#other.at(-1);
    return other === undefined ? undefined : causeOf(other);
  }

  /** The message of rclone's that tells most: its last one may only count errors that earlier ones name. */
  #telling(last: string): string {
    if (classifyMessage(last) !== "unknown") return last;
    return this.#rclone.findLast((message) => classifyMessage(message) !== "unknown") ?? last;
  }
}

function hintFor(said: string): string {
  if (noRclone.test(said)) return " (the image holds no rclone)";
  return noSh.test(said) ? " (the image holds no sh)" : "";
}

function keep(list: string[], text: string): void {
  list.push(text);
  if (list.length > 2 * keptMax) list.splice(keptMax, 1);
}

/** The cause that a program's stderr tells; it may have JSON lines of rclone's log. */
export function tellCause(stderr: string, known: Known = {}): Cause | undefined {
  const collected = new StderrCause(known);
  for (const line of stderr.split("\n")) {
    const message = line.startsWith("{") ? jsonError(line) : undefined;
    if (message !== undefined) collected.rclone(message);
    else if (!line.startsWith("{")) collected.line(line);
  }
  return collected.cause();
}

/** The message of a line of rclone's JSON log, if the line is about an error. */
export function jsonError(line: string): string | undefined {
  try {
    const { level, msg, object } = JSON.parse(line) as Record<string, unknown>;
    if (typeof msg !== "string") return undefined;
    const isError = level === "error" || level === "critical" || level === "fatal" || /^Failed to /.test(msg);
    if (!isError) return undefined;
    return typeof object === "string" && object !== "" ? `${object}: ${msg}` : msg;
  } catch {
    return undefined;
  }
}
