/** A mutant that no test can tell from the program, or that tests of another kind hold. */
interface Equivalent {
  file: string;
  /** The line, or the part of it, as it is and as the mutant has it, as the mutation run prints them. */
  from: string;
  to: string;
  why: string;
}

const partFile = "const name = /^(.+)\\.[0-9a-f]{8}\\.partial$/s.exec(object)?.[1];";
const copyPlan = "lib/rclone/copy-plan.ts";
const failures = "lib/rclone/failure-class.ts";
const shardLog = "agent/shard-log.ts";
const bufferSize = "const bufferBytes = 64 * 1024;";
const flushWhenFull = "if (this.#used + line.length + 1 > bufferBytes) this.flush();";
const tooLong = "if (line.length + 1 > bufferBytes) {";
const flushWhenAny = "if (used > 0) writeFully(this.#fd, this.#buffer.subarray(0, used));";
const moreWrites = "the same bytes, in other writes";

/** Mutants that may survive. */
export const equivalents: readonly Equivalent[] = [
  {
    file: "agent/decide/throttle.ts",
    from: "Math.min(facts.spent, 10)",
    to: "Math.min(facts.spent, 11)",
    why: "the wait has reached its bound long before; this keeps the power finite",
  },
  {
    file: "agent/decide/unproven.ts",
    from: partFile,
    to: partFile.replace("^", ""),
    why: "the first .+ begins at the first character anyway",
  },
  { file: "agent/decide/unproven.ts", from: "partErrorsOf.set(errors, found);", to: ";", why: "a cache" },
  {
    file: "agent/decide/silence.ts",
    from: "facts.tpsLimit : 0;",
    to: "facts.tpsLimit : 1;",
    why: "a millisecond more than none, below what the latency makes of one record",
  },
  {
    file: "agent/decide/silence.ts",
    from: 'text === undefined || text === ""',
    to: 'text === undefined && text === ""',
    why: "a number that is no number, or nought, is refused after it",
  },
  { file: copyPlan, from: "?? [1, 999]", to: "?? [2, 999]", why: "both are newer than 1.64" },
  { file: copyPlan, from: "?? [1, 999]", to: "?? [1, 1000]", why: "both are newer than 1.64" },
  { file: failures, from: "(?:configuration|config)", to: "(?:config)", why: "its beginning is enough" },
  { file: failures, from: "i\\/o timeout|", to: "", why: "timeout alone is there too" },
  { file: failures, from: "unexpected EOF|", to: "", why: "EOF alone is there too" },
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
