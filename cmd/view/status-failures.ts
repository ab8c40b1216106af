import type { FailureGroup } from "../../lib/operate/failure-groups.ts";
import type { RunStatus } from "../../lib/operate/status.ts";
import type { FailureClass } from "../../lib/rclone/failure-class.ts";
import { quoteWords } from "../../lib/system/shell-words.ts";
import { formatCount, formatObjects, formatShards } from "../../lib/system/units.ts";
import { mendOf } from "./causes.ts";

/** What only a new listing of the source cures: the same records would fail again. */
const forNewListing: ReadonlySet<FailureClass> = new Set(["missing", "untransferable"]);

/** Whether trying again is of use once the reason is mended. */
export const isForRetry = (failure: FailureClass): boolean => !forNewListing.has(failure);

/** The command that tries again what failed with a class. */
export const retryCommand = (runDir: string, failure?: FailureClass): string =>
  quoteWords(["xfer", "retry", "--run-dir", runDir, ...(failure === undefined ? [] : ["--class", failure])]);

/**
 * What mends a group of failures, in a sentence:
 *
 * | group | mend |
 * |---|---|
 * | missing, untransferable | what mends the class |
 * | is tried again by itself | what mends the class; it is tried again by itself |
 * | any other | what mends the class, then xfer retry --class |
 */
export function groupMend(group: FailureGroup, runDir: string): string {
  const { class: failure, objects, example } = group;
  const mend = mendOf({ class: failure, objects, message: example.message });
  if (!isForRetry(failure)) return mend ?? "list the source anew in a new run directory";
  if (group.num_final === 0) return [mend, "it is tried again by itself"].filter(Boolean).join("; ");
  return [mend ?? "do as the message says", retryCommand(runDir, failure)].join(", then ");
}

/** The place that refused, with its root where that is known. */
function placeOf({ end }: FailureGroup, { source_root, dest_root }: RunStatus): string {
  if (end === null) return "";
  const root = end === "source" ? source_root : dest_root;
  return ` at the ${end}${root === null ? "" : ` ${root}`}`;
}

/** A group of failures on one line: class, end, how many, and one example. */
export function groupLine(group: FailureGroup, status: RunStatus): string {
  const { class: failure, num_shards, num_final, objects, example } = group;
  const again =
    num_final === num_shards
      ? ""
      : num_final === 0
        ? ", tried again"
        : `, ${formatCount(num_final)} of them for good`;
  const where = example.path === null ? "" : `${example.path}, `;
  return (
    `${failure}${placeOf(group, status)}: ${formatObjects(objects)} in ${formatShards(num_shards)}${again}: ` +
    `${example.message} (${where}shard ${example.shard})`
  );
}
