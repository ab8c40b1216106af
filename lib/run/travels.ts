/** Which way files of a run directory go: to the cluster that runs it, or back. */
export type Way = "stage" | "pull";

/** What is made before a run begins. It goes both ways. */
const plan =
  /^(manifest\.jsonl|manifest\.untransferable\.jsonl|delta\.jsonl|delta\.json|config\.resolved\.json)$/;
const shards = /^shards\/(shard_\d+\.jsonl|shards\.meta\.json)$/;
const scripts = /^(sbatch_array\.sh|submit\.sh|worker\.sh)$/;
/** What only the side that runs it writes. */
const state =
  /^state\/(shard_\d+\.(attempt|done|fail(\.\d+)?|progress|journal|samples|found|verify|verify\.jsonl)|destination\.(json|failed))$/;
const account = /^(submissions\.jsonl|events\.jsonl|verify\.jsonl|verify\.json|report\.(md|html|json|csv))$/;
const logs = /^logs\/[^/]+\.(log|out)$/;

/**
 * Whether a file of a run directory travels, by its path in it:
 *
 * | file | to the cluster | back |
 * |---|---|---|
 * | manifest, delta, shards, configuration, scripts | yes | yes |
 * | state, submissions, verification, logs, reports | no: live ones are never written over | yes |
 * | locks, claims, keys of a pass, unfinished files, the binary | no | no |
 */
export function travels(path: string, way: Way): boolean {
  if ([plan, shards, scripts].some((names) => names.test(path))) return true;
  return way === "pull" && [state, account, logs].some((names) => names.test(path));
}

/** Whether a file is what a listing leaves: the manifest, or the list of what it leaves out. */
export const isListed = (path: string): boolean => /^manifest(\.untransferable)?\.jsonl$/.test(path);
