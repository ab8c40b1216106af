/** A mutant that no test can tell from the program, or that tests of another kind hold. */
interface Equivalent {
  file: string;
  /** The line as it is and as the mutant has it, as the mutation run prints them. */
  from: string;
  to: string;
  why: string;
}

const shardLog = "agent/shard-log.ts";
const bufferSize = "const bufferBytes = 64 * 1024;";
const flushWhenFull = "if (this.#used + line.length + 1 > bufferBytes) this.flush();";
const tooLong = "if (line.length + 1 > bufferBytes) {";
const flushWhenAny = "if (used > 0) writeFully(this.#fd, this.#buffer.subarray(0, used));";
const moreWrites = "the same bytes, in other writes";

/** Mutants that may survive. */
export const equivalents: readonly Equivalent[] = [
  {
    file: "agent/progress.ts",
    from: "eta_seconds: speed > 0 ? Math.max(0, Math.round(left / speed)) : null,",
    to: "eta_seconds: speed >= 0 ? Math.max(0, Math.round(left / speed)) : null,",
    why: "JSON writes infinity as null",
  },
  {
    file: shardLog,
    from: bufferSize,
    to: "const bufferBytes = 64 * 1025;",
    why: "a buffer may have any size",
  },
  {
    file: shardLog,
    from: bufferSize,
    to: "const bufferBytes = 65 * 1024;",
    why: "a buffer may have any size",
  },
  { file: shardLog, from: flushWhenFull, to: flushWhenFull.replace(">", ">="), why: moreWrites },
  { file: shardLog, from: flushWhenFull, to: flushWhenFull.replace("1", "2"), why: moreWrites },
  { file: shardLog, from: tooLong, to: tooLong.replace(">", ">="), why: moreWrites },
  { file: shardLog, from: tooLong, to: tooLong.replace("1", "2"), why: moreWrites },
  { file: shardLog, from: flushWhenAny, to: flushWhenAny.replace(">", ">="), why: "a write of no bytes" },
  { file: shardLog, from: "closeSync(this.#fd);", to: ";", why: "the process ends soon after" },
];
