import { homedir } from "node:os";
import * as v from "valibot";
import { flagsOfHome, type Profile, type ProfileChanges, runRootDefault } from "../../lib/cluster/profile.ts";
import { runtimeNames } from "../../lib/rclone/runtime.ts";
import { log } from "../../lib/system/log.ts";
import type { Operands } from "../cli/command.ts";
import { UsageError } from "../cli/usage-error.ts";
import { knownClusters } from "../flags/cluster.ts";
import type { OptionsOf } from "../flags/flag.ts";
import { flag } from "../flags/make.ts";

/** The one name that a command about a profile takes. */
export const nameOperand: Operands = { usage: "NAME", values: knownClusters, most: 1 };

/** The name among the operands. Throws a usage error when there is none. */
export function nameIn([name]: readonly string[]): string {
  if (name === undefined) throw new UsageError("the cluster's name is missing");
  return name;
}

// Any text: an empty one removes a field, and the profile's schema says what is wrong with another.
const anyText = v.string();
const field = { group: "what", common: true } as const;

/** The fields of a profile, as they are set. */
export const profileFlags = {
  host: flag.read(anyText, {
    ...field,
    valueHint: "HOST",
    description: "what ssh is given: user@login, a name of ~/.ssh/config; local is this host",
  }),
  "run-root": flag.read(anyText, {
    ...field,
    valueHint: "PATH",
    defaultText: runRootDefault,
    description: "the folder there for run directories and for the xfer binary; all nodes see it",
  }),
  "rclone-config": flag.read(anyText, { ...field, valueHint: "PATH", description: "rclone.conf there" }),
  partition: flag.read(anyText, { ...field, valueHint: "NAME", description: "Slurm's partition" }),
  image: flag.read(anyText, {
    ...field,
    valueHint: "IMAGE",
    description: "rclone's container image, as the nodes see it",
  }),
  runtime: {
    ...flag.read(anyText, {
      ...field,
      valueHint: runtimeNames.join("|"),
      description: "how rclone is reached there",
    }),
    values: runtimeNames,
  },
  account: flag.read(anyText, {
    ...field,
    valueHint: "NAME",
    description: "the account that jobs count for",
  }),
  "sbatch-extras": flag.read(anyText, {
    ...field,
    valueHint: "WORDS",
    description: "more options for sbatch",
  }),
  mount: flag.list({
    ...field,
    valueHint: "MOUNT",
    description: "REMOTE:BUCKET=/path, where the cluster sees a remote as files; as often as needed",
  }),
};

/** Says which paths are likely this machine's, and not the cluster's. */
export function sayHome(profile: Profile): void {
  const flags = flagsOfHome(profile, homedir());
  if (flags.length === 0) return;
  log.warn(
    `${flags.join(", ")}: the home of this machine, as a shell writes it for ~: '~/...' in quotes is that of the cluster`,
  );
}

/** What the flags say of a profile's fields. */
export function changesOf(input: OptionsOf<typeof profileFlags>): ProfileChanges {
  return {
    host: input.host,
    run_root: input["run-root"],
    rclone_config: input["rclone-config"],
    partition: input.partition,
    image: input.image,
    runtime: input.runtime,
    account: input.account,
    sbatch_extras: input["sbatch-extras"],
    mounts: input.mount,
  };
}
