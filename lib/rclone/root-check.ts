import { isAbsolute, resolve } from "node:path";
import { invalidInput } from "../system/errors.ts";
import { type ParsedRoot, splitRoot } from "./connection-string.ts";
import { isMarkedOption, isOpenOption } from "./flag-table.ts";
import { listItems, localEnds } from "./local-ends.ts";
import { Remotes } from "./rclone-conf.ts";
import { parseRoot, type RemoteContext, remoteType } from "./remote-options.ts";
import { hasUrlSecret } from "./secrets.ts";

type ParsedRemote = Extract<ParsedRoot, { form: "remote" }>;

/** The deepest that roots may nest in the values of options. */
const depthMax = 8;

/**
 * Why a root may not be used, or undefined when it may. Roots that rclone cannot read are refused, and roots with
 * credentials, which would end up in manifests, argument vectors and logs. The text never repeats a value.
 */
export function rootProblem(root: string): string | undefined {
  if (root === "") return "is empty";
  if (/[\x00-\x1f\x7f]/.test(root)) return "has a control character";
  const parsed = splitRoot(root);
  if (parsed.form === "posix") return undefined;
  if (parsed.form === "none") return `${parsed.problem}: ${pathHint(root)}`;
  return optionProblem(parsed, 0);
}

function pathHint(root: string): string {
  const shown = root.slice(0, root.search(/[:,]/) + 1);
  const path = /^[^,]*:[^,=@?]*$/.test(root) ? root : `${shown}...`;
  return `a path with a colon in its first name is written ./${path}`;
}

function optionProblem({ name, inline, options, path }: ParsedRemote, depth: number): string | undefined {
  if (depth > depthMax) return "has remotes within remotes too deep to be checked";
  for (const option of options) {
    if (/^(?:global|override)\./.test(option.name)) {
      return `has the option ${option.name}, which changes rclone's flags: use --rclone-flags`;
    }
    if (option.name !== "type" && !isOpenOption(inline ? name : undefined, option.name)) {
      const what = isMarkedOption(option.name) ? "a credential" : "what may be a credential";
      return `carries ${what} (${option.name}=...): put it in rclone.conf, under a name`;
    }
    if (hasUrlSecret(option.value)) return urlProblem;
    const problem = nestedProblem(option.value, depth + 1);
    if (problem) return problem;
  }
  return path.startsWith("//") && hasUrlSecret(`:${path}`) ? urlProblem : undefined;
}

/** Why the value of a backend's option may not be seen, or undefined when it may: a root in it may carry a credential. */
export function nestedProblem(value: string, depth = 0): string | undefined {
  for (const nested of nestedValues(value)) {
    const inner = splitRoot(nested);
    const problem = inner.form === "remote" ? optionProblem(inner, depth) : brokenProblem(inner, nested);
    if (problem) return problem;
  }
  return undefined;
}

/** Why a value that is no root may not be seen: it may hold a credential, which rclone's own error would show. */
function brokenProblem(parsed: ReturnType<typeof splitRoot>, value: string): string | undefined {
  if (parsed.form !== "none") return undefined;
  const marked = [...value.matchAll(/([A-Za-z][\w-]*)\s*=/g)].find(([, name = ""]) => isMarkedOption(name));
  return marked && `carries a credential (${marked[1]}=...): put it in rclone.conf, under a name`;
}

const urlProblem = "carries a credential in a URL: put it in rclone.conf, under a name";

/** The parts of an option's value that may be roots: all of it, the items of a list, and those without their `dir=`. */
function nestedValues(value: string): string[] {
  const items = [value, ...listItems(value)];
  return [...items, ...items.map((item) => item.replace(/^[^=:,]*=/, ""))];
}

/** Whether a root has the form of a remote, but a name that only newer rclones take for a remote's. */
export function looksLikePath(root: string): boolean {
  const parsed = parseRoot(root);
  return parsed.form === "remote" && !/^[\w. -]+$/.test(parsed.name);
}

/**
 * Why a root cannot be reached with the rclone.conf and the environment of this host; undefined when it can, and when that
 * is not known here.
 */
export function remoteProblem(root: string, context: RemoteContext): string | undefined {
  const parsed = parseRoot(root);
  if (parsed.form === "posix") return undefined;
  const { name, inline } = parsed;
  if (inline && /[^\w ]/.test(name)) return `names ${JSON.stringify(name)}, which is no backend of rclone`;
  if (!inline && context.remotes.certain && remoteType(parsed, context) === undefined) {
    return `names the remote ${name}, ${remoteMissing(context.remotes.file)}${pathHint(root)}`;
  }
  if (remoteType(parsed, context) === "s3" && /(?:^|\/)\.\.?(?:\/|$)|\/\//.test(parsed.path)) {
    return "has an empty component, '.' or '..' in its path: rclone reads that as another place of the store";
  }
  const relative = localEnds(root, context).paths.find((path) => !path.startsWith("/"));
  if (relative === undefined) return undefined;
  return `ends at a relative path ("${relative}"), which means another place wherever rclone runs: write an absolute one`;
}

/** Why there is no such remote, and how to make one. */
function remoteMissing(file: Remotes["file"]): string {
  const mend = 'make it with "rclone config", or name another file with --rclone-config; ';
  if (file?.exists === false) return `but there is no rclone.conf (looked for ${file.path}): ${mend}`;
  return `which rclone.conf does not have${file ? ` (${file.path}): ${mend}` : ": "}`;
}

/** A root without the slashes at its end, so that one place has one name. */
function trimRoot(root: string): string {
  const trimmed = root.replace(/\/+$/, "");
  return trimmed === "" && root !== "" ? "/" : trimmed;
}

/** The context of a host whose rclone.conf is not known. */
const elsewhere: RemoteContext = { remotes: new Remotes(false), env: {}, flags: new Map() };

/**
 * Checks a root and returns it in its one form: remotes as given, paths absolute. With the `context` of the host where
 * rclone runs, the remote must be one that rclone has there. Throws invalid input that names `flag`.
 */
export function checkRoot(flag: string, root: string, context = elsewhere): string {
  const problem = rootProblem(root) ?? remoteProblem(root, context);
  if (problem) throw invalidInput(`${flag}: ${problem}`);
  return parseRoot(root).form === "posix" ? resolve(root) : trimRoot(root);
}

/**
 * Checks a root that a manifest names as those of flags are checked. Relative paths are refused, since the manifest's
 * reader may be in another directory than its writer was.
 */
export function checkListedRoot(name: string, root: string, context = elsewhere): string {
  const checked = checkRoot(name, root, context);
  if (parseRoot(root).form === "posix" && !isAbsolute(root)) {
    throw invalidInput(
      `${name}: ${root} is a relative path, which means another place in every directory: xfer manifest rebase makes it absolute`,
    );
  }
  return checked;
}
