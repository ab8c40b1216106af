/** A level of a tree that is being listed, whose prefixes may be handed to other listings. */
interface LevelView {
  /** Prefixes that nobody has begun to list. */
  ahead: number;
  /** How many objects a prefix of it holds, by the median of those that are known, or so far. */
  objects: number;
  /** Whether none is known in whole, and another listing has begun one to find out. */
  isProbed: boolean;
}

/** The level below which a listing is, and at which its tree could be divided, as far as it is known. */
export interface NextLevel {
  /** Prefixes that the listing has left. */
  seen: number;
  /** How many objects a prefix holds, by their median. */
  objects: number;
  /** How many there are so far in the prefix that the listing is in. */
  current: number;
  /** The share of the level's own objects in what is listed of it: a look lists these again. */
  ownShare: number;
}

/** How a tree is being listed, as far as it bears on whether others should help. */
export interface TreeView {
  /** Milliseconds from the first entry until now; undefined while there is none. */
  listedMs: number | undefined;
  /** Milliseconds that rclone takes to start. */
  startMs: number;
  /** Milliseconds that one listing by itself takes for 1,000 objects: beside others all seem slow. */
  paceMs: number;
  objects: number;
  /** The levels that it is divided at, the outermost first. */
  levels: readonly LevelView[];
  next: NextLevel | undefined;
}

/** When help is worth its cost. */
export interface ReliefRules {
  listers: number;
  /** Objects in a page of the store's answer. */
  pageObjects: number;
  /** Every listing is divided at the first chance. */
  atOnce: boolean;
}

/** What a free listing may do for a tree: list a prefix of a level of it, or look at the next level. */
export type Relief = { do: "claim"; level: number } | { do: "look" } | undefined;

/** A listing that ends sooner than this is left alone: it would be over before others have begun. */
const patienceMs = { quickStore: 1_000, slowStore: 400 };
/** A store that takes longer for 1,000 objects has rclone wait, and others cost the waiting one nothing. */
const slowStoreMs = 45;
/** A prefix must take so many times longer to list than rclone takes to start. */
const startsMin = 1.6;
/** A level with more objects of its own is not looked at. */
const ownShareMax = 0.1;
/**
 * So many small prefixes may be listed one by one, to divide a large one beside them: for each listing, or for each page that
 * was listed, so that they cost little beside the rest.
 */
const [smallPerLister, smallPerPage] = [4, 0.1];

/**
 * What a free listing may do for a tree that another is listing.
 *
 * | the tree                                                              | relief           |
 * | --------------------------------------------------------------------- | ---------------- |
 * | has been listed for less than a second (0.4 s of a slow store)        | none             |
 * | has a level with prefixes ahead that are worth a start each           | claim the last   |
 * | has one of a quick store of which no size is known, and one is listed | none             |
 * | has many prefixes ahead that are not: each would cost a request more  | none             |
 * | is in a next level with many objects of its own                       | none             |
 * | is in a prefix of a next level that has large ones                    | look at it       |
 * | is in a large prefix after few small ones                             | look at it       |
 *
 * A prefix is worth a start when it fills two pages, for the last page of each part is half empty, and when it takes longer
 * to list than rclone takes to start, which is seconds in a container. What is ahead must take twice as long as a start, or
 * the listing gets there before its helper.
 */
export function reliefOf(view: TreeView, rules: ReliefRules): Relief {
  if (view.listedMs === undefined || isTooEarly(view.listedMs, view, rules)) return undefined;
  const fewSmall = fewSmallOf(view.objects, rules);
  for (const [index, { ahead, objects, isProbed }] of view.levels.entries()) {
    if (ahead === 0) continue;
    if (isProbed && !rules.atOnce && view.paceMs <= slowStoreMs) return undefined;
    if (isWorth(view, rules, objects, ahead)) return { do: "claim", level: index };
    if (ahead > fewSmall) return undefined;
  }
  const { next } = view;
  if (next === undefined || (next.ownShare > ownShareMax && !rules.atOnce)) return undefined;
  const isLarge = next.current >= 4 * objectsMin(rules) && next.seen <= fewSmall;
  const objects = isLarge ? next.current : next.objects;
  return isWorth(view, rules, objects, Number.POSITIVE_INFINITY) ? { do: "look" } : undefined;
}

/**
 * Whether a level that an earlier try divided stays divided: with `kept` prefixes of so many objects each, and `waiting`
 * others. It does not where nothing of it is kept, or where each of many would cost more than it holds.
 */
export function staysDivided(waiting: number, kept: readonly number[], rules: ReliefRules): boolean {
  const typical = medianOf(kept);
  if (typical === undefined) return false;
  const objects = kept.reduce((sum, one) => sum + one, 0);
  return waiting <= fewSmallOf(objects, rules) || typical >= objectsMin(rules);
}

/** The upper median. */
export function medianOf(numbers: readonly number[]): number | undefined {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

function isTooEarly(listedMs: number, { paceMs }: TreeView, { atOnce }: ReliefRules): boolean {
  return !atOnce && listedMs < (paceMs > slowStoreMs ? patienceMs.slowStore : patienceMs.quickStore);
}

function fewSmallOf(objects: number, { listers, pageObjects }: ReliefRules): number {
  return Math.max(smallPerLister * listers, (smallPerPage * objects) / pageObjects);
}

/** Two pages; a little less counts, since a median of few is no more exact. */
function objectsMin({ pageObjects }: ReliefRules): number {
  return 1.9 * pageObjects;
}

function isWorth(view: TreeView, rules: ReliefRules, objects: number, ahead: number): boolean {
  if (rules.atOnce) return true;
  const { startMs, paceMs } = view;
  const listMs = (objects * paceMs) / 1_000;
  return objects >= objectsMin(rules) && listMs >= startsMin * startMs && ahead * listMs >= 2 * startMs;
}
