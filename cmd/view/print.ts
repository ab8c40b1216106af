import { readFileSync } from "node:fs";
import { errnoOf, messageOf, operationFailed, XferError } from "../../lib/system/errors.ts";

let failure: XferError | undefined;
let isReaderGone = false;

/** Whether what reads stdout has gone away, as `head` does when it has read enough. */
export const hasReaderGone = (): boolean => isReaderGone;

/** Why stdout has not taken all that was printed; undefined while it has, and for a reader that has gone away. */
export function outputFailure(): XferError | undefined {
  return failure;
}

/**
 * Writes data to stdout and waits until it is taken; bytes may be changed then. Throws operation failed when it is not
 * taken: data that is lost is a command that failed.
 */
export async function print(data: string | Uint8Array): Promise<void> {
  try {
    await write(data);
  } catch (error) {
    throw stdoutError(error);
  }
}

/**
 * Prints a report. What stdout does not take is told by outputFailure() when the command ends: a full disk under a report
 * must not end the work that it reports on.
 */
export async function printText(text: string): Promise<void> {
  try {
    await print(text);
  } catch (error) {
    if (!(error instanceof XferError)) throw error;
    failure ??= error;
  }
}

/** Prints a report as one line of JSON. */
export function printJson(value: unknown): Promise<void> {
  return printText(`${JSON.stringify(value)}\n`);
}

function write(data: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    if (isClosed(1)) return reject(new Error("it is closed"));
    process.stdout.write(data, (error) => {
      // A reader that has gone away has read enough.
      if (error && errnoOf(error) === "EPIPE") isReaderGone = true;
      if (error && errnoOf(error) !== "EPIPE") reject(error);
      else resolve();
    });
  });
}

function stdoutError(error: unknown): XferError {
  const [, words] = /^E[A-Z0-9]+: ([^,]+)/.exec(messageOf(error)) ?? [];
  return operationFailed(`stdout: ${words ?? messageOf(error)}`, { cause: error });
}

const closeOnExec = 0o2000000;

/**
 * Whether a descriptor was closed when this program started. The runtime then opens /dev/null under its number, which only
 * the flag tells from one that was given: nothing that is given is closed on exec. False where there is no /proc.
 */
function isClosed(fd: number): boolean {
  try {
    const [, flags] = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8")) ?? [];
    return flags !== undefined && (Number.parseInt(flags, 8) & closeOnExec) !== 0;
  } catch {
    return false;
  }
}
