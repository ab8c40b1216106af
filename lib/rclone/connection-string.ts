/** The parts of a root. `name` is a remote's name in rclone.conf or, with `inline`, a backend's. */
export type ParsedRoot =
  | { form: "posix"; path: string }
  | {
      form: "remote";
      name: string;
      inline: boolean;
      options: { name: string; value: string }[];
      path: string;
    };

/** A text that rclone takes neither for a path nor for a remote, and why. */
interface NoRoot {
  form: "none";
  problem: string;
}

/**
 * Names that rclone takes for a remote (rclone's fs/fspath/path.go). Up to 1.60 they have ASCII letters, digits, `_ . -`
 * and spaces. Newer versions also take letters of any script, `+` and `@`, but no space at either end.
 */
const remoteName = /^(?:[\w. -]+|[\w\p{L}\p{N}.+@]+(?:[ -]+[\w\p{L}\p{N}.+@-]+)*)$/u;

/**
 * Takes a root apart as rclone does (https://rclone.org/docs/#syntax-of-remote-paths):
 *
 * | root | form |
 * |---|---|
 * | without a colon, or with a slash before the first colon or comma | a path |
 * | `name:path`, `:backend:path` | a remote |
 * | `name,option=value,option="va""lue",flag:path` | a remote with options |
 * | anything else | none: rclone refuses it |
 */
export function splitRoot(root: string): ParsedRoot | NoRoot {
  if (!root.includes(":")) return { form: "posix", path: root };
  const inline = root.startsWith(":");
  const start = inline ? 1 : 0;
  const end = start + root.slice(start).search(/[:,/\\]/);
  const mark = end < start ? "" : root.charAt(end);
  if (!inline && (mark === "/" || mark === "\\")) return { form: "posix", path: root };
  if (mark !== ":" && mark !== ",") return none("has no name of a remote before its path");
  const name = root.slice(start, end);
  if (!remoteName.test(name) || name.startsWith("-")) {
    return none(`has the name ${JSON.stringify(name)}, which rclone takes for no remote`);
  }
  if (mark === ":") return { form: "remote", name, inline, options: [], path: root.slice(end + 1) };
  const rest = readOptions(root.slice(end + 1));
  return "problem" in rest ? none(rest.problem) : { form: "remote", name, inline, ...rest };
}

function none(problem: string): NoRoot {
  return { form: "none", problem };
}

interface ReadOptions {
  options: { name: string; value: string }[];
  path: string;
}

/** Reads `option=value,option:path`. */
function readOptions(text: string): ReadOptions | { problem: string } {
  const options: ReadOptions["options"] = [];
  // A name; then a quoted value, in which a doubled quote stands for one, or a bare value, or none; then a comma or colon.
  const option = /([\w.]+)(?:=(?:"((?:[^"]|"")*)"|'((?:[^']|'')*)'|(?!["'])([^:,]*)))?([,:])/suy;
  for (;;) {
    const match = option.exec(text);
    if (!match) return { problem: "has options after its name that rclone cannot read" };
    const [, name = "", double, single, bare, mark] = match;
    const value = double?.replaceAll('""', '"') ?? single?.replaceAll("''", "'") ?? bare ?? "true";
    options.push({ name, value });
    if (mark === ":") return { options, path: text.slice(option.lastIndex) };
  }
}
