import { type Flag, type FlagGroup, type Flags, flagGroups } from "../flags/flag.ts";

/** One line of a command's flags, as help, man page and reference show it. */
export interface FlagRow {
  /** "-v", "--verbose". */
  readonly names: readonly string[];
  /** What its value is: "FILE", "size|md5". */
  readonly hint: string | undefined;
  /** What it does, with its default, other names, and whether it must be given. */
  readonly says: string;
}

/** The flags of a group, under its title. */
export interface FlagSection {
  readonly title: string;
  readonly rows: readonly FlagRow[];
}

/**
 * The flags in their groups, the common ones first. A switch that can be turned off has a row for that:
 *
 *   declared as                        rows
 *   boolean                            --json
 *   boolean, what `--no-` does said    --fast-list, --no-fast-list
 *   string, short name                 -o, --out FILE
 */
export function flagSections(flags: Flags, wanted: (flag: Flag) => boolean = () => true): FlagSection[] {
  const shown = Object.entries(flags).filter(([, flag]) => wanted(flag));
  const byImportance = [...shown].sort(([, a], [, b]) => Number(b.common) - Number(a.common));
  const groups = Object.keys(flagGroups) as FlagGroup[];
  const sections = groups.map((group) => ({
    title: flagGroups[group],
    rows: byImportance.flatMap(([name, flag]) => (flag.group === group ? rowsOf(name, flag) : [])),
  }));
  return sections.filter(({ rows }) => rows.length > 0);
}

/** A row's names and hint: "-o, --out FILE". */
export function rowText({ names, hint }: FlagRow): string {
  return hint === undefined ? names.join(", ") : `${names.join(", ")} ${hint}`;
}

/** The names of a flag as they are typed, its short ones first. */
function shortNamesOf(flag: Flag): string[] {
  const alias = "alias" in flag ? flag.alias : undefined;
  const list = alias === undefined ? [] : typeof alias === "string" ? [alias] : [...alias];
  return list.map((name) => (name.length === 1 ? `-${name}` : `--${name}`));
}

/** All ways in which a flag is written, but for turning it off. */
export function spellingsOf(name: string, flag: Flag): string[] {
  return [`--${name}`, ...(flag.otherNames ?? []).map((other) => `--${other}`), ...shortNamesOf(flag)];
}

/** The flag that is written so. */
export function flagSpelled(flags: Flags, word: string): Flag | undefined {
  return Object.entries(flags).find(([name, flag]) => spellingsOf(name, flag).includes(word))?.[1];
}

/** What a flag's value is called; undefined for a switch. */
export function hintOf(flag: Flag): string | undefined {
  if (flag.type === "boolean") return undefined;
  return flag.valueHint ?? flag.values?.join("|") ?? "VALUE";
}

/** Whether a command cannot do without the flag. */
export function isRequired(flag: Flag): boolean {
  return flag.type === "string" && flag.required === true;
}

/** What `--no-` of a switch does; undefined where it has no such form. */
export function negativeOf(flag: Flag): string | undefined {
  return flag.type === "boolean" && "negativeDescription" in flag ? flag.negativeDescription : undefined;
}

/** The value that counts when the flag is not given, in words; undefined when there is nothing to say. */
export function defaultOf(flag: Flag): string | undefined {
  if (flag.defaultText !== undefined) return flag.defaultText;
  const { default: value } = flag;
  if (value === true) return "on";
  return typeof value === "string" && value !== "" ? value : undefined;
}

function rowsOf(name: string, flag: Flag): FlagRow[] {
  const otherNames = (flag.otherNames ?? []).map((other) => `--${other}`);
  const standard = defaultOf(flag);
  const says = [
    flag.description,
    otherNames.length > 0 ? `(also: ${otherNames.join(", ")})` : "",
    isRequired(flag) ? "(required)" : "",
    standard === undefined ? "" : `(default: ${standard})`,
  ];
  const row = {
    names: [...shortNamesOf(flag), `--${name}`],
    hint: hintOf(flag),
    says: says.filter((text) => text !== "").join(" "),
  };
  const negative = negativeOf(flag);
  return negative === undefined ? [row] : [row, { names: [`--no-${name}`], hint: undefined, says: negative }];
}
