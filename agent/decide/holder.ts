/**
 * Whether the holder of a lock is alive:
 *
 * | the holder | verdict |
 * |---|---|
 * | can be looked up by its pid, and runs | alive |
 * | can be looked up by its pid, and does not run | gone |
 * | cannot be looked up (another host, boot or pid namespace), and is this very array task | gone: Slurm runs a task once at a time |
 * | cannot be looked up, and is another agent | watch: alive while the shard's .progress changes |
 */
export function judgeHolder(facts: {
  /** Whether the holder runs; undefined when its pid cannot be looked up from here. */
  runs: boolean | undefined;
  isSameTask: boolean;
}): "alive" | "gone" | "watch" {
  if (facts.runs !== undefined) return facts.runs ? "alive" : "gone";
  return facts.isSameTask ? "gone" : "watch";
}
