import { keptVariables, refusedVariablesOnly, rootedFilters } from "./flag-rules.ts";
import { flagKind } from "./flag-table.ts";
import { type GivenFlag, parseBoolean } from "./flag-words.ts";

/** Variables by their names. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The variable that stands for a flag: https://rclone.org/docs/#environment-variables */
function variableOf(flag: string): string {
  return `RCLONE_${flag.toUpperCase().replaceAll("-", "_")}`;
}

/**
 * The variables of an environment that stand for a refused flag (RCLONE_DRY_RUN for --dry-run), and why each is kept from
 * rclone.
 */
export function refusedVariables(env: Environment): Map<string, string> {
  const found = new Map<string, string>();
  for (const [flag, reason] of [...keptVariables, ...refusedVariablesOnly]) {
    const name = variableOf(flag);
    // RCLONE_CONFIG says where rclone.conf is, as rclone's users expect.
    if (flag !== "config" && env[name] !== undefined) found.set(name, reason);
  }
  return found;
}

/** Variables of rclone's that are no flags of a copy: for remotes, the password of rclone.conf, mounts and caches. */
const noCopyFlag =
  /^RCLONE_(?:CONFIG(?:_.*)?|VFS_.*|RC_.*|METRICS_.*|ALLOW_(?:OTHER|ROOT)|DIR_CACHE_TIME|POLL_INTERVAL|UMASK|UID|GID)$/;

/** The flags that the variables of an environment set for a copy. */
export function flagsOfEnvironment(env: Environment): GivenFlag[] {
  const kept = refusedVariables(env);
  return Object.keys(env)
    .filter((name) => name.startsWith("RCLONE_") && !noCopyFlag.test(name) && !kept.has(name))
    .sort()
    .map((spelling) => {
      const name = spelling.slice("RCLONE_".length).toLowerCase().replaceAll("_", "-");
      const kind = flagKind("copy", name);
      const text = env[spelling] ?? "";
      const value = kind === "boolean" ? String(parseBoolean(text) ?? text) : text;
      return { name, kind, value, words: [], spelling };
    });
}

/** The variables of an environment with which rclone leaves objects out of a listing: https://rclone.org/filtering/ */
export function filterVariables(env: Environment): string[] {
  const filters = [...rootedFilters, "min-size", "max-size", "min-age", "max-age"];
  const metadata = ["metadata-include", "metadata-exclude", "metadata-filter"];
  const names = new Set([...filters, ...metadata, ...metadata.map((name) => `${name}-from`)].map(variableOf));
  return Object.keys(env).filter((name) => names.has(name));
}

/** Whether a variable stands for one of these flags. */
export function isVariableOf(name: string, flags: ReadonlySet<string>): boolean {
  return [...flags].some((flag) => variableOf(flag) === name);
}
