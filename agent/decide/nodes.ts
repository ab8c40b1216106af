/** The most nodes that one shard may be kept off. */
const badNodesMax = 3;

/**
 * How many nodes of its partition a shard may be kept off. One node must be left, or the task would wait for ever. None
 * where Slurm does not say how many nodes the partition has.
 */
export function avoidableNodes(partitionNodes: number | undefined): number {
  return Math.max(0, Math.min(badNodesMax, (partitionNodes ?? 1) - 1));
}
