/** Exit codes of the command line. */
export const exitCodes = { done: 0, failed: 1, usage: 2, resumable: 75, interrupted: 130 } as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/**
 * An expected failure: its message is the one line that the user reads. The stack, and the error that it was made of as its
 * `cause`, are shown only with XFER_DEBUG set. A cause whose message may hold a credential is left out.
 */
export class XferError extends Error {
  override readonly name = "XferError";
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** Invalid input or usage: exit code 2. */
export function invalidInput(message: string, options?: ErrorOptions): XferError {
  return new XferError(message, exitCodes.usage, options);
}

/** An operation that could not be carried out: exit code 1. */
export function operationFailed(message: string, options?: ErrorOptions): XferError {
  return new XferError(message, exitCodes.failed, options);
}

/** Whether the error ends a command because the command was asked to stop. */
export function isStop({ exitCode }: XferError): boolean {
  return exitCode === exitCodes.resumable || exitCode === exitCodes.interrupted;
}

/** The message of anything that was thrown, on one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s*\n\s*/g, " ").trim();
}

/** The errno name (ENOENT, ENOSPC, ...) of a system error, or undefined for any other. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Why a path cannot be read, where trying again is no use. */
const unreadable: Readonly<Record<string, string>> = {
  EISDIR: "is a folder: a file is wanted",
  ENOTDIR: "no such file: a part of its path is no folder",
  EACCES: "may not be read: permission denied",
  ELOOP: "is a symbolic link that leads to itself",
  ENAMETOOLONG: "no such file: the name is too long",
};

/** An error of reading a file, as invalid input that names the file where trying again is no use; any other error as it is. */
export function readError(path: string, error: unknown): unknown {
  const why = unreadable[errnoOf(error) ?? ""];
  return why === undefined ? error : invalidInput(`${path}: ${why}`, { cause: error });
}
