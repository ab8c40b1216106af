/** A level at which a tree under way is divided: its prefixes may be handed to other listings. */
interface LevelView {
  /** How many prefixes nobody has begun to list. */
  ahead: number;
  /** How many objects a prefix of the level holds: the median of the finished ones, or the count so far of the first. */
  objects: number;
  /** Whether no prefix is finished, and another listing has begun one, which will tell its size. */
  isProbed: boolean;
}

/** The next level at which a tree could be divided, as far as the listing has seen it. */
export interface NextLevel {
  /** How many prefixes the listing has passed. */
  seen: number;
  /** How many objects a prefix holds, by the median of those that the listing has passed. */
  objects: number;
  /** How many objects have come so far of the prefix that the listing is in. */
  current: number;
  /** The share of the objects that lie directly in the level. A look at the level lists these again. */
  ownShare: number;
}

/** The progress of a tree's listing, by which `reliefOf` decides whether others should help. */
export interface TreeView {
  /** Milliseconds since the first entry; undefined before there is one. */
  listedMs: number | undefined;
  /** Milliseconds that rclone takes to start. */
  startMs: number;
  /** Milliseconds that one listing takes for 1,000 objects, measured while it is alone: beside others it seems slower. */
  paceMs: number;
  objects: number;
  /** The levels at which the tree is divided, the outermost first. */
  levels: readonly LevelView[];
  next: NextLevel | undefined;
}

/** The settings by which help is worth its cost or not. */
export interface ReliefRules {
  listers: number;
  /** How many objects a page of the store's answer holds. */
  pageObjects: number;
  /** Whether every listing is divided at the first chance. */
  atOnce: boolean;
}

/** How a free listing helps with a tree: it lists a prefix of a level, or looks at the next level. Undefined for no help. */
export type Relief = { do: "claim"; level: number } | { do: "look" } | undefined;

/** A listing that is younger than this is left alone: a short one would be over before others have begun. */
const patienceMs = { quickStore: 1_000, slowStore: 400 };
/** A store is slow when 1,000 objects take longer than this. rclone then waits for it, and other listings take nothing away. */
const slowStoreMs = 45;
/** A prefix is worth a listing when it takes this many times longer to list than rclone takes to start. */
const startsMin = 1.6;
/** A level is not looked at when more than this share of its objects lie directly in it. */
const ownShareMax = 0.1;
/**
 * How many small prefixes may be listed one by one to reach a large one beside them: this many for each listing, or for each
 * page that was listed. They then cost little beside the rest.
 */
const [smallPerLister, smallPerPage] = [4, 0.1];

/**
 * How a free listing helps with a tree that another one is listing: the first row that applies.
 *
 * | the tree                                                                                | relief                   |
 * | --------------------------------------------------------------------------------------- | ------------------------ |
 * | has been listed for less than a second (0.4 s of a slow store)                          | none                     |
 * | has a level with prefixes ahead that are worth a start each                             | claim the last of them   |
 * | is on a quick store, and has a level whose first size another listing is finding out    | none                     |
 * | has a level with many prefixes ahead, not worth a start: each would cost a request more | none                     |
 * | is in a next level with many objects directly in it                                     | none                     |
 * | is in a next level whose prefixes are large                                             | look at that level       |
 * | is in a large prefix, after few small ones                                              | look at that level       |
 *
 * A prefix is worth a start when it fills two pages, since the last page of each part is half empty, and when it takes longer
 * to list than rclone takes to start, which is seconds in a container. The prefixes ahead must take twice as long as a start.
 * Otherwise the listing reaches them before its helper.
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
 * Whether a level that an earlier try divided stays divided. `kept` has the objects of each prefix that is kept, and `waiting`
 * is the number of the others. The level does not stay divided when no prefix is kept, or when many small ones are waiting,
 * each of which would cost a request more.
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

/** The objects of two pages, or a little less, since the median of a few numbers is not exact. */
function objectsMin({ pageObjects }: ReliefRules): number {
  return 1.9 * pageObjects;
}

function isWorth(view: TreeView, rules: ReliefRules, objects: number, ahead: number): boolean {
  if (rules.atOnce) return true;
  const { startMs, paceMs } = view;
  const listMs = (objects * paceMs) / 1_000;
  return objects >= objectsMin(rules) && listMs >= startsMin * startMs && ahead * listMs >= 2 * startMs;
}
