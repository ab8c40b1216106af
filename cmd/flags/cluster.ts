import { flag } from "./make.ts";

/** A command that has this flag can be handed over to a cluster. XFER_CLUSTER stands for it. */
export const clusterFlag = flag.text({
  group: "what",
  valueHint: "NAME",
  description: "run this command on a cluster (xfer cluster add), which goes on when the connection is lost",
});

/** The cluster of a command that works with one from here. */
export const namedClusterFlag = flag.text({
  group: "what",
  common: true,
  valueHint: "NAME",
  defaultText: "XFER_CLUSTER",
  description: "the cluster (xfer cluster add)",
});

/** For commands that list a source. The profile of the cluster says which buckets it mounts. */
export const posixListFlag = flag.onOff({
  default: true,
  group: "listing",
  description: "at a cluster that mounts the source's bucket, list the mount",
  negativeDescription: "list the source itself",
});
