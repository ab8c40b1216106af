import * as v from "valibot";
import { profileNames, profilesFolder } from "../../lib/cluster/profile.ts";
import type { Flags } from "./flag.ts";
import { flag } from "./make.ts";

/** The names of the user's profiles, for completion. */
export const knownClusters = () => profileNames(profilesFolder(process.env));

/** A command that has this flag can be handed over to a cluster. XFER_CLUSTER stands for it. */
export const clusterFlag = flag.text({
  group: "what",
  common: true,
  valueHint: "NAME",
  offers: knownClusters,
  description: "run this command on a cluster (xfer cluster add), which goes on when the connection is lost",
});

/** The cluster of a command that works with one from here. */
export const namedClusterFlag = flag.text({
  group: "what",
  common: true,
  valueHint: "NAME",
  defaultText: "XFER_CLUSTER",
  offers: knownClusters,
  description: "the cluster (xfer cluster add)",
});

/** For a cluster of another architecture than this machine's. */
export const clusterBinaryFlag = flag.file({
  group: "what",
  defaultText: "this xfer, or one of a release beside it",
  description: "the xfer to put at the cluster",
});

/** For commands that list a source. The profile of the cluster says which buckets it mounts. */
export const posixListFlag = flag.onOff({
  default: true,
  group: "listing",
  description: "at a cluster that mounts the source's bucket, list the mount",
  negativeDescription: "list the source itself",
});

/** Its effect is the command line's own, before the command runs. */
const explainFlag = {
  ...flag.on({
    group: "output",
    description: "print each flag's value and where it is from (flag, profile, default), and do nothing else",
  }),
  schema: v.optional(v.boolean()),
};

/** The flags of a command, with those that all have that can be handed over to a cluster. */
export function withClusterFlags(flags: Flags): Flags {
  return flags.cluster === clusterFlag
    ? { ...flags, "cluster-binary": clusterBinaryFlag, explain: explainFlag }
    : flags;
}
