import table from "./rclone-table.json" with { type: "json" };

/** The rclone commands that take a user's flags. */
export type FlagCommand = "copy" | "lsjson";

/** Whether a flag is followed by nothing (a boolean or a counter) or by a value; an unknown flag may be either. */
export type FlagKind = "boolean" | "value" | "unknown";

/** Booleans that count how often they are given. They take a number where other booleans take true or false. */
export const countFlags: ReadonlySet<string> = new Set(["verbose"]);

const set = (words: string): ReadonlySet<string> => new Set(words.split(" "));

const sets = {
  global: { booleans: set(table.global.booleans), values: set(table.global.values) },
  copy: { booleans: set(table.copy.booleans), values: set(table.copy.values) },
  lsjson: { booleans: set(table.lsjson.booleans), values: set(table.lsjson.values) },
};
const booleanOptions = set(table.booleanOptions);
const secretOptions = set(table.secretOptions);

interface Backend {
  name: string;
  prefix: string;
  open: ReadonlySet<string>;
}

const backends: ReadonlyMap<string, Backend> = new Map(
  Object.entries(table.backends).map(([name, { prefix, open }]) => [name, { name, prefix, open: set(open) }]),
);
const byPrefix = new Map([...backends.values()].map((backend) => [backend.prefix, backend]));

/** Options of the local backend whose flags have no prefix: https://rclone.org/local/ */
const withoutPrefix: ReadonlySet<string> = new Set([
  "copy-links",
  "skip-links",
  "skip-specials",
  "one-file-system",
]);

/** The backend's option that a flag such as `s3-endpoint` sets; undefined for a flag that sets none. */
export function backendOption(flag: string): { backend: Backend; option: string } | undefined {
  for (let dash = flag.indexOf("-"); dash !== -1; dash = flag.indexOf("-", dash + 1)) {
    const backend = byPrefix.get(flag.slice(0, dash));
    if (backend) return { backend, option: flag.slice(dash + 1).replaceAll("-", "_") };
  }
  return undefined;
}

/** Whether a flag of this name is rclone's own, and not a backend's. */
export function isGeneralFlag(command: FlagCommand, name: string): boolean {
  return [sets[command], sets.global].some(({ booleans, values }) => booleans.has(name) || values.has(name));
}

/** The kind of a flag of this name. */
export function flagKind(command: FlagCommand, name: string): FlagKind {
  for (const { booleans, values } of [sets[command], sets.global]) {
    if (booleans.has(name)) return "boolean";
    if (values.has(name)) return "value";
  }
  if (withoutPrefix.has(name)) return "boolean";
  const found = backendOption(name);
  if (!found) return "unknown";
  if (booleanOptions.has(found.option)) return "boolean";
  return found.backend.open.has(found.option) || secretOptions.has(found.option) ? "value" : "unknown";
}

/** The long name of a one-letter flag. */
export function longName(command: FlagCommand, letter: string): string | undefined {
  const own: Record<string, string | undefined> = table[command].shorts;
  const global: Record<string, string | undefined> = table.global.shorts;
  return own[letter] ?? global[letter];
}

/** Whether rclone has a backend of this name. */
export function isBackend(name: string): boolean {
  return backends.has(name);
}

/** The prefix of a backend's flags and variables: `s3` of --s3-endpoint. */
export function backendPrefix(name: string): string | undefined {
  return backends.get(name)?.prefix;
}

/** Whether some backend marks an option of this name as a password or as sensitive. */
export function isMarkedOption(option: string): boolean {
  return secretOptions.has(option.replaceAll("-", "_").toLowerCase());
}

/** Options that may hold a secret although rclone does not mark them. */
const mayHoldSecret = /(?:^|_)(?:headers?|(?:web_)?token|api_key|2fa)$/;

/**
 * Whether the value of an option may be seen in manifests, argument vectors and logs: that of a known option which rclone
 * marks neither as a password nor as sensitive. Where the backend is not known, no backend may mark an option of that name.
 */
export function isOpenOption(backend: string | undefined, option: string): boolean {
  const name = option.replaceAll("-", "_").toLowerCase();
  if (mayHoldSecret.test(name) || /^sse_customer_key(?:$|_(?!file))/.test(name)) return false;
  const known = backend === undefined ? undefined : backends.get(backend);
  if (known) return known.open.has(name);
  if (backend !== undefined || secretOptions.has(name)) return false;
  return [...backends.values()].some(({ open }) => open.has(name));
}
