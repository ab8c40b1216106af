import type { RunAccount, RunFiles } from "./evidence.ts";
import { foldersOf, isPlain, type Name, shownForm, textOf } from "./names.ts";
import type { RoundObject, Scenario } from "./scenario.ts";
import { bodyOf, type Contents, hashOf } from "./stores.ts";

/** What a round has shown when its last start has ended. */
export interface Evidence {
  code: number;
  stderr: string;
  account: RunAccount | undefined;
  files: RunFiles;
  source: Contents;
  /** The destination before the first start, and now. */
  before: Contents;
  dest: Contents;
  /** Command lines of processes of the round that are still there. */
  left: string[];
  /** A start that did not end within the limit. */
  hung: boolean;
}

/** Which part of the promise did not hold. */
export interface Violation {
  rule:
    | "false done"
    | "unnamed"
    | "not its own"
    | "left behind"
    | "account"
    | "no neighbours' fault"
    | "hangs";
  what: string;
}

/**
 * The promise:
 *
 * | rule                  | what must hold                                                                          |
 * | --------------------- | --------------------------------------------------------------------------------------- |
 * | false done            | exit code 0: each source object is at the destination under its own name, byte for byte |
 * | unnamed               | another code: each object that is not there is named, or the run says why none was tried|
 * | not its own           | what the destination held of others, or a user's flag protects, is as it was            |
 * | left behind           | no process, no torn state file, no object that is nobody's                              |
 * | account               | listed = copied + unchanged + failed + unfinished + untransferable                      |
 * | no neighbours' fault  | an object that every store can hold arrives, whatever the others do                     |
 * | hangs                 | each start ends by itself                                                               |
 */
export function violationsOf(scenario: Scenario, evidence: Evidence): Violation[] {
  if (evidence.hung) return [{ rule: "hangs", what: "a start did not end" }];
  const absent = absentObjects(scenario, evidence);
  return [
    ...(evidence.code === 0 ? falseDone(absent) : unnamed(absent, evidence)),
    ...notItsOwn(scenario, evidence),
    ...leftBehind(scenario, evidence),
    ...accountErrors(scenario, evidence),
    ...neighboursFault(absent, scenario, evidence),
  ];
}

const quoted = (name: Name): string => JSON.stringify(textOf(name));

/** The source objects that are not at the destination, but for those that rclone takes for folders, or a flag keeps. */
function absentObjects(scenario: Scenario, { source, dest }: Evidence): Name[] {
  const present = new Map(scenario.present.map((object) => [object.name, object]));
  return scenario.objects
    .filter((object) => !isMarker(object) && !isKept(object, present.get(object.name), scenario, dest))
    .map(({ name }) => name)
    .filter((name) => dest.get(name) !== source.get(name));
}

/** An empty object whose name ends in a slash stands for a folder: it is not listed. */
const isMarker = ({ name, size }: RoundObject): boolean => name.endsWith("/") && size === 0;

/** Whether the destination still has what a flag told rclone to keep in the place of the object. */
function isKept(
  object: RoundObject,
  present: RoundObject | undefined,
  { flags }: Scenario,
  dest: Contents,
): boolean {
  if (present === undefined || !isProtected(object, present, flags)) return false;
  return dest.get(object.name) === hashOf(bodyOf(present));
}

function isProtected(object: RoundObject, present: RoundObject, flags: readonly string[]): boolean {
  const has = (...words: string[]) => words.some((word) => flags.includes(word));
  if (has("--ignore-existing", "--ignore-existing=true", "--immutable")) return true;
  if (has("--update", "--update=true", "-uv") && present.mtimeMs > object.mtimeMs) return true;
  return has("--size-only") && present.size === object.size;
}

function falseDone(absent: readonly Name[]): Violation[] {
  return absent.map((name) => ({ rule: "false done", what: `exit code 0 without ${quoted(name)}` }));
}

/** As many names in the run's files as objects of that form are absent: two objects that look alike need two. */
function unnamed(absent: readonly Name[], evidence: Evidence): Violation[] {
  const { account, files, stderr } = evidence;
  // A run that ends before it copies says in its last line what hinders it.
  if (account === undefined && /^xfer: \S/.test(stderr.trim().split("\n").at(-1) ?? "")) return [];
  const named = namesOfForms(files);
  const folders = foldersIn(files);
  const violations: Violation[] = [];
  for (const name of absent) {
    const form = shownForm(textOf(name));
    if (isBelow(name, folders)) continue;
    const left = named.get(form) ?? 0;
    named.set(form, left - 1);
    if (left <= 0)
      violations.push({
        rule: "unnamed",
        what: `exit code ${evidence.code}, and nothing names ${quoted(name)}`,
      });
  }
  return violations;
}

/** How many objects of each form are named; a shard and the verification may name the same one. */
function namesOfForms({ named }: RunFiles): Map<string, number> {
  const once = new Set(named.filter(({ by }) => by !== "untransferable").map(({ shown }) => shown));
  const untransferable = named.filter(({ by, isFolder }) => by === "untransferable" && !isFolder);
  const count = new Map<string, number>();
  for (const shown of [...once, ...untransferable.map((one) => one.shown)])
    count.set(shownForm(shown), (count.get(shownForm(shown)) ?? 0) + 1);
  return count;
}

/** The folders that a run names as ones that it could not list. */
const foldersIn = (files: RunFiles): Set<string> =>
  new Set(files.named.filter(({ isFolder }) => isFolder).map(({ shown }) => shownForm(shown)));

const isBelow = (name: Name, folders: ReadonlySet<string>): boolean =>
  foldersOf(name).some((folder) => folders.has(shownForm(textOf(folder))));

function notItsOwn(scenario: Scenario, { before, dest }: Evidence): Violation[] {
  const violations: Violation[] = [];
  const objects = new Map(scenario.objects.map((object) => [object.name, object]));
  for (const present of scenario.present) {
    const { name } = present;
    const object = objects.get(name);
    if (object !== undefined && !isProtected(object, present, scenario.flags)) continue;
    if (dest.get(name) !== before.get(name))
      violations.push({
        rule: "not its own",
        what: `${quoted(name)} was ${dest.has(name) ? "changed" : "removed"}, ${
          object ? `which ${scenario.flags.join(" ")} protects` : "and is not of the source"
        }`,
      });
  }
  return violations;
}

function leftBehind(scenario: Scenario, { before, dest, left, files }: Evidence): Violation[] {
  const known = new Set([...scenario.objects.map(({ name }) => name), ...before.keys()]);
  const strangers = [...dest.keys()].filter((name) => !known.has(name) && !isPartial(name));
  return [
    ...strangers.map((name) => `${quoted(name)} is at the destination and nobody's`),
    ...left.map((command) => `a process: ${command}`),
    ...files.torn,
  ].map((what) => ({ rule: "left behind", what }));
}

/** What a killed rclone leaves beside the final name. */
const isPartial = (name: Name): boolean => /\.[0-9a-f]{8}\.partial$/.test(name);

function accountErrors(scenario: Scenario, { account, code, files }: Evidence): Violation[] {
  if (account === undefined)
    return code === 0 ? [{ rule: "account", what: "exit code 0 and no account" }] : [];
  const { listed, copied, unchanged, failed, unfinished, untransferable } = account;
  const violations: Violation[] = [];
  if (listed !== copied + unchanged + failed + unfinished + untransferable)
    violations.push({ rule: "account", what: `does not add up: ${JSON.stringify(account)}` });
  // A folder that cannot be listed counts as one, whatever it holds; another may be shown in the same form.
  const folders = foldersIn(files);
  const objects = scenario.objects.filter((object) => !isMarker(object));
  const outside = objects.filter(({ name }) => !isBelow(name, folders));
  const [least, most] = [outside.length + folders.size, objects.length + folders.size];
  if (listed < least || listed > most)
    violations.push({
      rule: "account",
      what: `${listed} listed of ${least === most ? most : `${least} to ${most}`}: ${JSON.stringify(account)}`,
    });
  if (code === 0 && failed + unfinished + untransferable > 0)
    violations.push({ rule: "account", what: `exit code 0: ${JSON.stringify(account)}` });
  return violations;
}

/** Plain objects that are absent without a cause of their own. */
function neighboursFault(absent: readonly Name[], scenario: Scenario, evidence: Evidence): Violation[] {
  const { closed, faults, dest, objects, present } = scenario;
  const excused = new Set([...closed, ...faults.flatMap(({ name }) => (name === undefined ? [] : [name]))]);
  const others = [...objects, ...present].map(({ name }) => name);
  const inTheWay = (name: Name) =>
    dest === "posix" &&
    (others.some((other) => other.replace(/\/+/g, "/").startsWith(`${name}/`)) ||
      foldersOf(name).some((folder) => others.some((other) => other.replace(/\/+$/, "") === folder)));
  return absent
    .filter((name) => isPlain(name) && !inTheWay(name))
    .filter((name) => ![name, ...foldersOf(name)].some((one) => excused.has(one)))
    .map((name) => ({
      rule: "no neighbours' fault",
      what: `${quoted(name)} did not arrive (exit code ${evidence.code})${
        evidence.account === undefined ? `: ${evidence.stderr.trim().split("\n").at(-1) ?? ""}` : ""
      }`,
    }));
}
