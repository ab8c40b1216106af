import { fileChunks } from "../system/lines.ts";
import { type Level, partsMax, prefixesOf, splitProblem } from "./fan-out.ts";
import type { KeptPart, PartStore } from "./part-store.ts";
import { forEachEntry } from "./read-entries.ts";
import { type ReliefRules, staysDivided } from "./relief.ts";

/** The beginning of a listing in parts. */
export interface ListingPlan {
  /** Parts that an earlier try has finished and that are used. */
  kept: KeptPart[];
  /** Prefixes that are to be listed. */
  waiting: string[];
}

/**
 * Plans a listing from what an earlier try has left in the store:
 *
 * | the store has of a prefix | the plan |
 * |---|---|
 * | everything below it | keeps it |
 * | the level directly below it, and that level is worth its parts (`staysDivided`) | keeps the level, and goes on below it |
 * | anything else | lists the prefix anew |
 */
export async function planListing(
  store: Pick<PartStore, "find">,
  rules: ReliefRules,
  isDivisible: boolean,
  prefix = "",
): Promise<ListingPlan> {
  const tree = store.find("tree", prefix);
  if (tree) return { kept: [tree], waiting: [] };
  const anew = { kept: [], waiting: [prefix] };
  const part = isDivisible ? store.find("level", prefix) : undefined;
  if (!part || part.note.dropped !== null) return anew;
  const level: Level = { prefix, names: await namesIn(part), dropped: undefined };
  if (splitProblem(level, partsMax) !== undefined) return anew;
  const plans: ListingPlan[] = [];
  for (const below of prefixesOf(level)) plans.push(await planListing(store, rules, isDivisible, below));
  const waiting = plans.flatMap((plan) => plan.waiting);
  const sizes = plans
    .filter(({ kept }) => kept.length > 0)
    .map(({ kept }) => kept.reduce((sum, { note }) => sum + note.objects, 0));
  if (!staysDivided(waiting.length, sizes, rules)) return anew;
  return { kept: [part, ...plans.flatMap(({ kept }) => kept)], waiting };
}

/** The names of the prefixes directly below a level. */
async function namesIn(level: KeptPart): Promise<string[]> {
  const names: string[] = [];
  await forEachEntry(fileChunks(level.path), (entry) => {
    if (entry.IsDir) names.push(entry.Path);
  });
  return names;
}
