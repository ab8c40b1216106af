/** Nodes that one shard may be kept off. */
const badNodesMax = 3;

/**
 * How many nodes a shard may be kept off, in a partition of so many: one must be left, or the task would wait for ever. None
 * where Slurm does not say how many there are.
 */
export function avoidableNodes(partitionNodes: number | undefined): number {
  return Math.max(0, Math.min(badNodesMax, (partitionNodes ?? 1) - 1));
}
