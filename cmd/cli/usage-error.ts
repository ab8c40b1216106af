import { exitCodes, XferError } from "../../lib/system/errors.ts";

export class UsageError extends XferError {
  /** The command whose help tells more, where that is not the one that runs. */
  readonly command: string | undefined;

  constructor(message: string, command?: string) {
    super(message, exitCodes.usage);
    this.command = command;
  }
}

/** A flag that the command does not have. */
export class UnknownFlag extends UsageError {
  readonly flag: string;

  constructor(flag: string) {
    super(`unknown flag ${flag}`);
    this.flag = flag;
  }
}
