import { invalidInput, operationFailed } from "../system/errors.ts";
import { quoteWords } from "../system/shell-words.ts";
import { type BinaryChoice, binaryFor } from "./binary-for.ts";
import type { FarEnd } from "./far-end.ts";
import { binaryPath, putFile } from "./put-file.ts";

/** Which binary is meant for a far end. */
interface FarBinaryWish {
  /** An absolute path there. */
  runRoot: string;
  version: string;
  /** The files of this host that may be the binary, by what `uname -sm` prints there. */
  choiceFor: (uname: string) => BinaryChoice;
  stop: AbortSignal;
}

/** What is to be put at a far end. */
interface FarBinaryRequest extends FarBinaryWish {
  /** Told of every piece that is sent; never when the binary is there. */
  onProgress?: (bytes: number, of: number) => void;
}

/**
 * The file of this host that is right for a far end, and the path that it has there, whether it is there yet or not.
 * Throws one line that says which file is missing here.
 */
async function chosenBinary(
  end: FarEnd,
  { runRoot, version, choiceFor, stop }: FarBinaryWish,
): Promise<{ local: string; path: string; sha256: string }> {
  const { stdout: uname } = await end.run("uname -sm", { stop });
  const chosen = binaryFor(choiceFor(uname));
  if ("problem" in chosen) throw invalidInput(`${end.host}: ${chosen.problem}`);
  return { local: chosen.path, ...(await binaryPath(runRoot, version, chosen.path)) };
}

/**
 * Sees to it that this version's binary is at the far end and starts there, and returns its path. It lies below the run
 * root under a name of its version and digest, so that it is sent once and never changes. An upload that was cut goes on.
 * Throws one line that says which file is missing here, or why the binary cannot be put or does not start there.
 */
export async function ensureFarBinary(end: FarEnd, request: FarBinaryRequest): Promise<string> {
  const { version, onProgress, stop } = request;
  const { local, path, sha256 } = await chosenBinary(end, request);
  await putFile(end, {
    ...{ local, remote: path, sha256, mode: "755", stop },
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  const tried = await end.run(`LC_ALL=C exec ${quoteWords([path])} --version`, { stop });
  const problem =
    tried.code === 0 ? versionProblem(tried.stdout, version) : startProblem(tried.code, tried.stderr);
  if (problem !== undefined) throw operationFailed(`${end.host}:${path}: ${problem}`);
  return path;
}

/** What is wrong with what a binary says to --version; undefined when it is the wanted version. */
function versionProblem(said: string, version: string): string | undefined {
  const [line = ""] = said.trim().split("\n");
  if (line === version) return undefined;
  return `is xfer ${line || "of an unknown version"}, and this one is ${version}: both must be of one version`;
}

const elsewhere = "choose a run root on another file system (xfer cluster edit)";

/**
 * Why a binary whose bytes are right does not start, from the shell's exit code and messages, and the mend:
 *
 * | sign | cause |
 * |---|---|
 * | Permission denied | a file system that is mounted noexec |
 * | GLIBC_... not found | a C library that is too old |
 * | not found (127) | no loader of glibc: another C library, such as musl |
 * | Exec format error, Syntax error, cannot execute binary | another processor |
 * | ended by signal 4 | a processor without an instruction |
 * | any other | what was said last |
 */
export function startProblem(code: number, stderr: string): string {
  const last = stderr.trim().split("\n").at(-1)?.trim() ?? "";
  const glibc = /version [`'"]?(GLIBC_[\d.]+)'? not found/.exec(stderr)?.[1];
  if (glibc !== undefined) {
    return `does not start: the system's C library is too old (it lacks ${glibc}): xfer needs glibc 2.17 or newer`;
  }
  if (/Permission denied/i.test(stderr)) {
    return `may not be executed (its file system is mounted noexec?): ${elsewhere}`;
  }
  if (/Exec format error|Syntax error|cannot execute binary/i.test(stderr)) {
    return "is for another processor: name the right one with --cluster-binary";
  }
  if (code === 127) {
    return "does not start: the system has no glibc (is it Alpine, or another one with musl?): xfer needs glibc 2.17";
  }
  if (code === 128 + 4) return "does not start: the processor is too old (it lacks SSE4.2)";
  return `does not start: ${last || `exit code ${code}`}`;
}
