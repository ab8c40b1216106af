import type { SubmittedJob } from "../run/submissions.ts";
import { startOf } from "./shard-state.ts";
import type { Standing } from "./standing.ts";

/** When the first job was submitted, or of a run without jobs the first start that is known of began. */
export function sinceOf(
  submissions: readonly SubmittedJob[],
  standing: readonly Standing[],
): number | undefined {
  const submitted = submissions.flatMap(({ submitted_at }) => timeOf(submitted_at));
  const started = standing.flatMap(({ look, entry }) => timeOf(startOf(look, entry)?.started_at));
  return leastOf(submitted.length > 0 ? submitted : started);
}

/** When the last shard was done; undefined while one is not. */
export function endedOf(standing: readonly Standing[]): number | undefined {
  if (standing.some(({ state }) => state !== "done")) return undefined;
  const times = standing.flatMap(({ look: { done } }) =>
    done.kind === "value" ? timeOf(done.value.finished_at) : [],
  );
  return times.reduce<number | undefined>((most, one) => Math.max(most ?? one, one), undefined);
}

const timeOf = (text: string | undefined): number[] => {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? [] : [time];
};

const leastOf = (times: readonly number[]): number | undefined =>
  times.reduce<number | undefined>((least, one) => Math.min(least ?? one, one), undefined);

/** A time as RFC 3339, whatever a file says. */
export function isoOf(ms: number): string {
  return new Date(Math.abs(ms) <= 8.64e15 ? ms : 0).toISOString();
}
