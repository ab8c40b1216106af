/**
 * What becomes of a lock that is held, from what is known of its holder:
 *
 * | the holder | verdict |
 * |---|---|
 * | is looked up by its pid, and runs | alive |
 * | is looked up by its pid, and does not run | gone |
 * | cannot be looked up (another host, kernel start or pid namespace), but is the same array task | gone: Slurm runs a task once at a time |
 * | cannot be looked up otherwise | watch: alive while the shard's .progress changes |
 */
export function judgeHolder(facts: {
  /** Whether it runs; undefined when it cannot be looked up from here. */
  runs: boolean | undefined;
  isSameTask: boolean;
}): "alive" | "gone" | "watch" {
  if (facts.runs !== undefined) return facts.runs ? "alive" : "gone";
  return facts.isSameTask ? "gone" : "watch";
}
