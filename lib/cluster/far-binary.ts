import { invalidInput, operationFailed } from "../system/errors.ts";
import { quoteWords } from "../system/shell-words.ts";
import { type BinaryChoice, binaryFor } from "./binary-for.ts";
import type { FarEnd } from "./far-end.ts";
import type { FarXfer } from "./forward.ts";
import { farWord } from "./probe.ts";
import { binaryPath, putFile } from "./put-file.ts";

/** What is to be put at a far end. */
interface FarBinaryRequest {
  /** As the profile has it: absolute there, or beginning with ~/. */
  runRoot: string;
  version: string;
  /** The files of this host that may be the binary, by what `uname -sm` prints there. */
  choiceFor: (uname: string) => BinaryChoice;
  /** Told of every piece that is sent; never when the binary is there. */
  onProgress?: (bytes: number, of: number) => void;
  stop: AbortSignal;
}

/**
 * Sees to it that this version's binary is at the far end and starts there. It lies below the run root under a name of its
 * version and digest, so that it is sent once and never changes; an upload that was cut goes on. Throws one line that says
 * which file is missing here, or why the binary cannot be put or does not start there.
 */
export async function ensureFarBinary(end: FarEnd, request: FarBinaryRequest): Promise<FarXfer> {
  const { version, onProgress, stop } = request;
  const { uname, runRoot } = await lookAtFarEnd(end, request.runRoot, stop);
  const chosen = binaryFor(request.choiceFor(uname));
  if ("problem" in chosen) throw invalidInput(`${end.host}: ${chosen.problem}`);
  const { path, sha256 } = await binaryPath(runRoot, version, chosen.path);
  await putFile(end, {
    ...{ local: chosen.path, remote: path, sha256, mode: "755", stop },
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  const tried = await end.run(`LC_ALL=C exec ${quoteWords([path])} --version`, { stop });
  const [said = ""] = tried.stdout.trim().split("\n");
  const problem =
    tried.code === 0 && said === version
      ? undefined
      : tried.code === 0
        ? `is xfer ${said || "of an unknown version"}, and this one is ${version}: both must be of one version`
        : startProblem(tried.code, tried.stderr);
  if (problem !== undefined) throw operationFailed(`${end.host}:${path}: ${problem}`);
  return { binary: path, runRoot };
}

/** The far end's system, and the run root without its ~. */
async function lookAtFarEnd(
  end: FarEnd,
  runRoot: string,
  stop: AbortSignal,
): Promise<{ uname: string; runRoot: string }> {
  const { code, stdout, stderr } = await end.run(`uname -sm && printf '%s\\n' ${farWord(runRoot)}`, { stop });
  const [uname = "", root = ""] = stdout.split("\n");
  if (code === 0 && root.startsWith("/")) return { uname, runRoot: root.replace(/(.)\/+$/, "$1") };
  throw operationFailed(`${end.host}: ${runRoot}: no run root: ${stderr.trim() || "$HOME is not set there"}`);
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
