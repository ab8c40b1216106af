import { debugLine } from "../rclone/log.ts";
import { showsVariable } from "../rclone/secrets.ts";
import { type Cause, jsonError, StderrCause } from "../rclone/telling.ts";
import type { ProcessExit } from "../system/process.ts";
import { Tail } from "./error-log.ts";
import { ListerMessages } from "./lister-messages.ts";

/** https://rclone.org/docs/#exit-code */
export const directoryNotFoundCode = 3;

/** The output of one `rclone lsjson`: its messages are understood, and the end of both streams is kept for an error log. */
export class ListerOutput {
  readonly stdout = new Tail();
  readonly stderr = new Tail();
  readonly messages = new ListerMessages();
  readonly #told: StderrCause;
  readonly #verbosity: number;

  constructor({ configPath, verbosity }: { configPath: string | undefined; verbosity: number }) {
    this.#told = new StderrCause({ configPath });
    this.#verbosity = verbosity;
  }

  /** Takes a line of stderr. It is shown to a user who asked for this much. */
  takeLine(text: string): void {
    const line = this.messages.take(text);
    if (showsVariable(line)) return;
    const message = text.startsWith("{") ? jsonError(text) : undefined;
    if (message !== undefined) this.#told.rclone(message);
    else if (!text.startsWith("{") && !debugLine.test(text)) this.#told.line(text);
    this.stderr.add(Buffer.from(line));
    if (this.#verbosity > (line.startsWith("DEBUG") ? 1 : 0)) process.stderr.write(`${line}\n`);
  }

  /** Whether rclone found no directory at the root; of an object store, no bucket. */
  saysAbsent({ code }: ProcessExit): boolean {
    return code === directoryNotFoundCode && /directory not found/.test(this.stderr.text());
  }

  /** Whether no entry was printed. rclone prints its opening bracket before it looks at the directory. */
  get hasNoEntry(): boolean {
    return /^\s*(?:\[\s*\]?)?\s*$/.test(this.stdout.text());
  }

  /** The cause of a failure in rclone's own words; undefined when rclone was killed, or told none. */
  causeOfExit({ code, signal }: ProcessExit): Cause | undefined {
    return code !== 0 && signal === null ? this.#told.cause() : undefined;
  }
}
