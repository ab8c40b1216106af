import type { Report, ReportCause, TimelineEntry } from "../../../lib/operate/report/schema.ts";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatObjects,
  formatRate,
  formatShards,
} from "../../../lib/system/units.ts";
import { mendOf } from "../causes.ts";

/** How a run stands, in a sentence. */
export function verdictText({ verdict, proof, listed, shards, untransferable }: Report): string {
  const of = `of ${formatObjects(listed.objects)}`;
  switch (verdict) {
    case "proven":
      return `All ${formatObjects(listed.objects)} are proven.`;
    case "not-proven":
      return untransferable.objects > 0 && untransferable.objects === proof.not_proven
        ? `${formatCount(proof.not_proven)} ${of} cannot be carried; all others are proven.`
        : `${formatCount(proof.not_proven)} ${of} are not proven.`;
    case "unfinished":
      return `The run has not ended: ${formatCount(shards.done)} of ${formatCount(shards.total)} shards are done.`;
  }
}

/** A row of a table with a name and what it says. */
export type Row = readonly [name: string, says: string];

/** How the listed objects are proven: the name of the proof, how many, and what it means. */
export function proofRows({
  proof,
}: Report): { name: string; objects: number; means: string; kind: string }[] {
  return [
    {
      name: "hash-proven",
      objects: proof.hash_proven,
      means: "equal size and MD5 at the destination",
      kind: "hash",
    },
    {
      name: "size-only",
      objects: proof.size_only,
      means: "equal size at the destination; no MD5 to compare",
      kind: "size",
    },
    {
      name: "by rclone's word",
      objects: proof.by_rclone,
      means: "rclone's log says so; not compared since",
      kind: "word",
    },
    {
      name: "not proven",
      objects: proof.not_proven,
      means: proof.not_proven === 0 ? "nothing is" : "named below",
      kind: "none",
    },
  ];
}

/** What the verification says, in a line. */
export function verificationWords({ proof: { verification } }: Report): string {
  if (verification === null) return "The destination was not compared (xfer verify does).";
  const { verified, verified_at, checksum, extra, sampled, sampled_differs, outdated } = verification;
  const parts = [
    `${verified ? "verified" : "not verified"} at ${verified_at} with --checksum ${checksum}`,
    ...(extra === null || extra === 0 ? [] : [`${formatCount(extra)} more objects are at the destination`]),
    ...(sampled > 0 ? [`${formatCount(sampled)} read, ${formatCount(sampled_differs)} of them differ`] : []),
    ...(outdated === null ? [] : [`it does not count: ${outdated}`]),
  ];
  return `${parts.join("; ")}.`;
}

/** The account, in the order in which it adds up. */
export function accountRows(report: Report): { name: string; objects: number; bytes: number }[] {
  const names = ["listed", "copied", "unchanged", "failed", "unfinished", "untransferable"] as const;
  return names.map((name) => ({ name, ...report[name] }));
}

/** Starts of agents, and how long it all took. */
export function attemptRows({ attempts, copied }: Report): Row[] {
  const { started_at, ended_at, bad_nodes } = attempts;
  const seconds =
    started_at === null || ended_at === null ? null : (Date.parse(ended_at) - Date.parse(started_at)) / 1_000;
  const nodes = bad_nodes.slice(0, 20).map(({ node, shards }) => `${node} (${formatShards(shards)})`);
  return [
    ["starts of shards", formatCount(attempts.starts)],
    ["stopped by the time limit", formatCount(attempts.walltime_stops)],
    ["preempted", formatCount(attempts.preemptions)],
    ["lost", formatCount(attempts.lost_starts)],
    ["stopped otherwise", formatCount(attempts.other_stops)],
    ["nodes without a container", nodes.length === 0 ? "none" : nodes.join(", ")],
    ["first start", started_at ?? "-"],
    ["last end", ended_at ?? "-"],
    ["time between", formatDuration(seconds)],
    ["copied bytes over that time", formatRate(seconds ? copied.bytes / seconds : Number.NaN)],
  ];
}

/** The versions that are known. */
export function versionRows({ versions: { xfer, rclone, slurm } }: Report): Row[] {
  const known = "not known";
  return [
    ["xfer that rendered the run", xfer.rendered ?? known],
    ["xfer that compared", xfer.verified ?? known],
    ["xfer that wrote this report", xfer.report],
    ["rclone that copied", rclone.copied ?? known],
    ["rclone that compared", rclone.verified ?? known],
    ...(rclone.here === null ? [] : [["rclone of the host of this report", rclone.here] as const]),
    ...(slurm.here === null ? [] : [["Slurm of the host of this report", slurm.here] as const]),
  ];
}

/** What was asked, each field of the configuration on a line of its own. */
export function askedRows({ asked }: Report): Row[] {
  const { config, shards } = asked;
  const rest = Object.entries(config ?? {}).filter(
    ([name]) => !["schema", "run_id", "source_root", "dest_root", "num_shards"].includes(name),
  );
  return [
    ["source", asked.source_root],
    ["destination", asked.dest_root],
    ["run id", asked.run_id ?? "-"],
    [
      "cut into",
      `${formatShards(shards.num_shards)} by ${shards.strategy ?? "-"}, of ${shards.input ?? "-"}`,
    ],
    ...rest.map(([name, value]) => [name, shownValue(value)] as const),
  ];
}

const shownValue = (value: unknown): string =>
  Array.isArray(value) ? value.join(" ") || "none" : value === null ? "none" : String(value);

/** How many objects a reason has, and what mends it. */
export function causeWords(cause: ReportCause): { amount: string; mend: string } {
  const { objects, bytes, at_least, num_shards } = cause;
  const amount = `${formatObjects(objects)}${at_least ? " or more" : ""}, ${formatBytes(bytes)}, in ${formatShards(num_shards)}`;
  return { amount, mend: mendOf({ ...cause, message: cause.reason }) ?? "" };
}

/** Of whom or what an entry of the timeline is. */
export function whoWords({ shard, node, by, jobs }: TimelineEntry): string {
  const parts = [
    ...(by === null ? [] : [by]),
    ...(shard === null ? [] : [`shard ${shard}`]),
    ...(node === null ? [] : [node]),
    ...(jobs.length === 0 ? [] : [`job ${jobs.join(", ")}`]),
  ];
  return parts.join(", ");
}
