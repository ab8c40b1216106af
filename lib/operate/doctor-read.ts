import { problemIn } from "../rclone/step-problem.ts";
import { sectionsOf } from "../system/sections.ts";
import { probeText } from "./doctor-steps.ts";

/** What is at a root, or why it cannot be told. */
export type PlaceLook = "objects" | "empty" | "absent" | { problem: string };

/** How a probe object went. */
export interface ProbeLook {
  /** Undefined when it was put, read back the same, and deleted. */
  problem: string | undefined;
  /** Whether it may still be there. */
  isLeft: boolean;
  /** What the bucket does with versions ("Enabled", "Suspended", "Unversioned"); undefined where rclone cannot tell. */
  versioning: string | undefined;
}

/** What the scripts of `doctor-steps.ts` have told; undefined where they were not asked, or did not come so far. */
export interface StepFacts {
  node: string | undefined;
  glibc: string | undefined;
  /** Seconds since 1970. */
  date: number | undefined;
  conf: "missing" | "unreadable" | { mode: string } | undefined;
  folder: "writable" | "missing" | "shut" | undefined;
  binary: { version: string } | { problem: string } | undefined;
  rclone: { version: string } | { problem: string } | undefined;
  source: PlaceLook | undefined;
  dest: PlaceLook | undefined;
  probe: ProbeLook | undefined;
}

/** Reads what the scripts print. */
export function readSteps(text: string): StepFacts {
  const sections = sectionsOf(text);
  const first = (name: string) => sections.get(name)?.find((line) => line !== "");
  const [conf, folder, date] = [first("conf"), first("folder"), Number(first("date"))];
  const version = sections.get("rclone")?.map((line) => /^rclone (v\S+)/.exec(line)?.[1]);
  return {
    node: first("node"),
    glibc: first("glibc")?.replace(/^glibc /, ""),
    date: date > 0 ? date : undefined,
    conf:
      conf === undefined || conf === "missing" || conf === "unreadable"
        ? conf
        : { mode: conf.padStart(4, "0") },
    folder: folder === "writable" || folder === "missing" || folder === "shut" ? folder : undefined,
    binary: binaryOf(sections.get("binary")),
    rclone: version && versionOr(version.find(Boolean), sections.get("rclone") ?? []),
    source: placeOf(sections.get("source")),
    dest: placeOf(sections.get("dest")),
    probe: probeOf(sections),
  };
}

const versionOr = (version: string | undefined, lines: readonly string[]) =>
  version === undefined ? { problem: problemIn(lines) } : { version };

/** The exit code that the last line of a section tells, and the lines before it. */
function endOf(lines: readonly string[]): { code: number | undefined; said: string[] } {
  const at = lines.findLastIndex((line) => /^code \d+$/.test(line));
  const code = at < 0 ? undefined : Number(lines[at]?.slice("code ".length));
  return { code, said: lines.slice(0, at < 0 ? undefined : at) };
}

function binaryOf(lines: readonly string[] | undefined): StepFacts["binary"] {
  if (lines === undefined) return undefined;
  const { code, said } = endOf(lines);
  const text = said.filter((line) => line !== "");
  if (code === 0) return { version: text.at(-1) ?? "" };
  return { problem: text.at(-1) ?? `exit code ${code ?? "unknown"}` };
}

/**
 * What a listing means:
 *
 * | it printed | means |
 * |---|---|
 * | an object, whatever came after | objects |
 * | no object, and ended with 0 | empty |
 * | rclone's "directory not found" | absent: the bucket, or the folder |
 * | anything else | a problem |
 */
function placeOf(lines: readonly string[] | undefined): PlaceLook | undefined {
  if (lines === undefined) return undefined;
  const [word] = lines;
  if (lines.includes("shut")) return { problem: "it may not be written" };
  if (word === "objects" || word === "empty" || word === "absent") return word;
  if (word === "unreadable") return { problem: "it may not be read" };
  if (lines.some((line) => line.startsWith('{"Path":'))) return "objects";
  const { code, said } = endOf(lines);
  if (code === 0) return "empty";
  // A shell may tell of a listing that it ended, which had not answered.
  const telling = said.filter((line) => !/^(?:[[\]]?|Terminated|Killed)$/.test(line));
  if (telling.length === 0) return { problem: "it does not answer" };
  return telling.some((line) => /directory not found/.test(line))
    ? "absent"
    : { problem: problemIn(telling) };
}

function probeOf(sections: ReadonlyMap<string, string[]>): ProbeLook | undefined {
  const put = sections.get("put");
  if (put === undefined) return undefined;
  const [putEnd, readEnd, removeEnd] = [put, sections.get("read") ?? [], sections.get("remove") ?? []].map(
    endOf,
  );
  const versioning = sections
    .get("versioning")
    ?.find((line) => /^(?:Enabled|Suspended|Unversioned)$/.test(line));
  const whyNot = (what: string, said: readonly string[] = []) =>
    said.some((line) => line !== "") ? `${what}: ${problemIn(said)}` : what;
  const problem = (): string | undefined => {
    if (putEnd?.code !== 0) return whyNot("it could not be put", putEnd?.said);
    if (readEnd?.code !== 0) return whyNot("it could not be read back", readEnd?.said);
    if (readEnd.said.find((line) => line !== "") !== probeText)
      return "it was read back with another content";
    return removeEnd?.code === 0 ? undefined : whyNot("it could not be deleted", removeEnd?.said);
  };
  const wasNeverThere =
    putEnd?.code !== 0 && (removeEnd?.said ?? []).some((line) => /not found|no such file/i.test(line));
  return { problem: problem(), isLeft: removeEnd?.code !== 0 && !wasNeverThere, versioning };
}
