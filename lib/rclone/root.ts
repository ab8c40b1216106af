import { isAbsolute, resolve } from "node:path";
import { invalidInput } from "../system/errors.ts";
import { type ParsedRoot, splitRoot } from "./connection-string.ts";
import { isMarkedOption, isOpenOption } from "./flag-table.ts";
import { listItems, localEnds } from "./local-ends.ts";
import { Remotes } from "./rclone-conf.ts";
import { parseRoot, type RemoteContext, remoteType, resolveRemote } from "./remote-options.ts";
import { hasUrlSecret } from "./secrets.ts";
import { parseSize } from "./sizes.ts";

/** What xfer needs to know of the place that a root names. */
export type RootKind = "s3" | "posix" | "other";

/** Values that hold roots again nest no deeper than this. */
const depthMax = 8;

/**
 * Why a root may not be used, or undefined when it may: what rclone cannot read, and credentials inside it, which would
 * end up in manifests, argument vectors and logs. The text never repeats a value.
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

type ParsedRemote = Extract<ParsedRoot, { form: "remote" }>;

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

/** Why the value of a backend's option may not be seen, since a root in it carries a credential; undefined when it may. */
export function nestedProblem(value: string, depth = 0): string | undefined {
  for (const nested of nestedValues(value)) {
    const inner = splitRoot(nested);
    const problem = inner.form === "remote" ? optionProblem(inner, depth) : brokenProblem(inner, nested);
    if (problem) return problem;
  }
  return undefined;
}

/** What is no root of rclone's may hold a credential all the same, and rclone's own error would show it. */
function brokenProblem(parsed: ReturnType<typeof splitRoot>, value: string): string | undefined {
  if (parsed.form !== "none") return undefined;
  const marked = [...value.matchAll(/([A-Za-z][\w-]*)\s*=/g)].find(([, name = ""]) => isMarkedOption(name));
  return marked && `carries a credential (${marked[1]}=...): put it in rclone.conf, under a name`;
}

const urlProblem = "carries a credential in a URL: put it in rclone.conf, under a name";

/** What in the value of an option may be a root: all of it, each item of a list, and what follows `dir=` in those. */
function nestedValues(value: string): string[] {
  const items = [value, ...listItems(value)];
  return [...items, ...items.map((item) => item.replace(/^[^=:,]*=/, ""))];
}

/** Whether a root with the form of a remote has a name that only newer rclones take for one. */
export function looksLikePath(root: string): boolean {
  const parsed = parseRoot(root);
  return parsed.form === "remote" && !/^[\w. -]+$/.test(parsed.name);
}

/**
 * Why a root cannot be reached as the rclone.conf and the environment of this host say, or undefined when it can, or
 * when that is not known here.
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

/** Why there is no such remote, and how to come to one. */
function remoteMissing(file: Remotes["file"]): string {
  const mend = 'make it with "rclone config", or name another file with --rclone-config; ';
  if (file?.exists === false) return `but there is no rclone.conf (looked for ${file.path}): ${mend}`;
  return `which rclone.conf does not have${file ? ` (${file.path}): ${mend}` : ": "}`;
}

/**
 * The kind of a root, from its connection string, from RCLONE_CONFIG_<NAME>_TYPE in the environment, which rclone lets win,
 * and from rclone.conf. A remote that wraps another (crypt, alias, union) is "other": what holds for S3 need not hold for
 * it.
 */
export function rootKind(root: string, remotes: Remotes, env: RemoteContext["env"]): RootKind {
  const parsed = parseRoot(root);
  if (parsed.form === "posix") return "posix";
  return remoteType(parsed, { remotes, env }) === "s3" ? "s3" : "other";
}

/** The size from which a server-side copy to this root goes in parts, where the remote or the user says it. */
export function copyCutoffOf(root: string, context: RemoteContext): number | undefined {
  const parsed = parseRoot(root);
  if (parsed.form === "posix") return undefined;
  const said = resolveRemote(parsed, context).options.get("copy_cutoff");
  return said === undefined ? undefined : parseSize(said);
}

/** Options that may differ between two remotes that are one account at one place. */
const tuning: ReadonlySet<string> = new Set(
  (
    "type description acl bucket_acl storage_class chunk_size upload_cutoff upload_concurrency max_upload_parts copy_cutoff " +
    "list_chunk list_version no_check_bucket no_head no_head_object disable_checksum"
  ).split(" "),
);

/**
 * Whether one S3 endpoint holds both roots for the same account, and how rclone must be told: "same-remote" copies on
 * the server by itself, "same-endpoint" needs --server-side-across-configs, "apart" cannot. Two remotes are one place only
 * when all that rclone will use for them is known and equal.
 */
export function serverSide(
  source: string,
  dest: string,
  context: RemoteContext,
): "same-remote" | "same-endpoint" | "apart" {
  const [one, other] = [parseRoot(source), parseRoot(dest)];
  if (one.form !== "remote" || other.form !== "remote") return "apart";
  const [a, b] = [resolveRemote(one, context), resolveRemote(other, context)];
  if (a.type !== "s3" || b.type !== "s3") return "apart";
  const stated = ({ name, inline, options }: ParsedRemote) => JSON.stringify([name, inline, options]);
  if (stated(one) === stated(other)) return "same-remote";
  if (!a.certain || !b.certain) return "apart";
  const names = [...new Set([...a.options.keys(), ...b.options.keys()])].filter((name) => !tuning.has(name));
  return names.every((name) => a.options.get(name) === b.options.get(name)) ? "same-endpoint" : "apart";
}

/** The full name of an object: its key below the root. */
export function joinRoot(root: string, path: string): string {
  return /[:/]$/.test(root) ? root + path : `${root}/${path}`;
}

/** A root without the slashes at its end, so that one place has one name. */
function trimRoot(root: string): string {
  const trimmed = root.replace(/\/+$/, "");
  return trimmed === "" && root !== "" ? "/" : trimmed;
}

/** Of a place whose rclone.conf is not known. */
const elsewhere: RemoteContext = { remotes: new Remotes(false), env: {}, flags: new Map() };

/**
 * A root that may be used, in its one form: remotes as given, paths absolute. With the `context` of where rclone runs, its
 * remote must be one that rclone has there. Throws invalid input naming `flag`.
 */
export function checkRoot(flag: string, root: string, context = elsewhere): string {
  const problem = rootProblem(root) ?? remoteProblem(root, context);
  if (problem) throw invalidInput(`${flag}: ${problem}`);
  return parseRoot(root).form === "posix" ? resolve(root) : trimRoot(root);
}

/**
 * A root that a manifest names, checked as those of flags are. Its reader may be in another directory than its writer was:
 * a relative path would be another place.
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
