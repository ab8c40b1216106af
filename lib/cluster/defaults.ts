import { sbatchExtras } from "../slurm/sbatch-extras.ts";
import { quoteWords } from "../system/shell-words.ts";
import { placeWords } from "./on-node.ts";
import type { Profile } from "./profile.ts";

/** How rclone is reached. */
const reach = ["runtime", "rclone-image", "rclone-config"] as const;

/** Of the commands that list through srun. */
const listing = [...reach, "pyxis-extra"] as const;

/** The flags of each command for which a profile has a value; the words of a command without "xfer". */
const flagsOf: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ["run", [...listing, "partition", "sbatch-extras"]],
  ["manifest build", listing],
  ["manifest delta", listing],
  ["manifest import", listing],
  ["slurm render", [...reach, "partition", "sbatch-extras"]],
  ["doctor", [...reach, "partition", "sbatch-extras"]],
  // What these need is in the run directory.
  ["slurm submit", []],
  ["verify", []],
]);

/**
 * The values that a profile has for flags of a command, by the flags' names:
 *
 * | flag | value |
 * |---|---|
 * | `--runtime`, `--rclone-config`, `--partition` | the field of that name |
 * | `--rclone-image` | `image` |
 * | `--sbatch-extras` | `account` as `--account=`, then `sbatch_extras` |
 * | `--pyxis-extra` | partition (the one that is given, too) and account for srun, where the runtime is pyxis: a listing is a job of its own |
 *
 * No image goes along where rclone is on PATH, by the runtime that is given, or else the profile's or the executor's.
 *
 * A flag that is given counts in place of all of its value. Paths may begin with ~ (see `withHome`).
 */
export function profileDefaults(
  profile: Profile,
  commandName: string,
  given: ReadonlyMap<string, string> = new Map(),
): Record<string, string> {
  const { image, partition, account, rclone_config, sbatch_extras } = profile;
  const extras = [
    ...(account === undefined ? [] : [`--account=${account}`]),
    ...sbatchExtras(sbatch_extras ?? ""),
  ];
  const isLocal = given.get("executor") === "local";
  const runtime = given.get("runtime") ?? profile.runtime ?? (isLocal ? "host" : "pyxis");
  const place =
    runtime === "pyxis" ? placeWords({ ...profile, partition: given.get("partition") ?? partition }) : [];
  const values: Record<string, string | undefined> = {
    runtime: profile.runtime,
    "rclone-image": runtime === "host" ? undefined : image,
    "rclone-config": rclone_config,
    partition,
    "sbatch-extras": extras.length > 0 ? quoteWords(extras) : undefined,
    "pyxis-extra": place.length > 0 ? quoteWords(place) : undefined,
  };
  const command = commandName.replace(/^xfer /, "");
  // A run says by itself what a doctor looks at.
  const names = command === "doctor" && given.has("run-dir") ? [] : (flagsOf.get(command) ?? []);
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = values[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** The value that a flag has, and where it was taken from. */
export interface Explained {
  flag: string;
  /** Undefined for a flag that has none, or whose default is told in words alone. */
  value: string | undefined;
  from: "flag" | "profile" | "default";
}

/**
 * What each flag of a command is, by its standard value in words (`flags`), what the user gave, and what a profile has:
 *
 * | given | in the profile | from |
 * |---|---|---|
 * | yes | any | flag |
 * | no | yes | profile |
 * | no | no | default |
 */
export function explain(
  flags: Readonly<Record<string, string | undefined>>,
  given: ReadonlyMap<string, string>,
  profile: Readonly<Record<string, string>>,
): Explained[] {
  return Object.entries(flags).map(([flag, standard]): Explained => {
    const own = given.get(flag);
    if (own !== undefined) return { flag, value: own, from: "flag" };
    const known = profile[flag];
    if (known !== undefined) return { flag, value: known, from: "profile" };
    return { flag, value: standard, from: "default" };
  });
}
