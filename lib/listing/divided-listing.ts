import { listChunk } from "../rclone/list-chunk.ts";
import { log } from "../system/log.ts";
import { planListing } from "./earlier-parts.ts";
import type { ListingTotals } from "./entry.ts";
import { partsMax, splitProblem } from "./fan-out.ts";
import type { ListingEnd } from "./lister.ts";
import type { Unlistable } from "./lister-messages.ts";
import { Divided } from "./live-entries.ts";
import { noteOf, type ParallelOptions, PartLister } from "./part-lister.ts";
import type { KeptPart, PartNote, PartStore } from "./part-store.ts";
import { joinPrefix, rootBelow } from "./prefix.ts";
import { sizeOf } from "./read-entries.ts";
import { readTree } from "./read-tree.ts";
import { type ReliefRules, reliefOf, type TreeView } from "./relief.ts";
import type { ListingSetup } from "./request.ts";
import { type DividedLevel, OutOfOrder, TreeParts } from "./tree-parts.ts";

/** https://rclone.org/docs/#checkers-int */
const checkersDefault = 8;
/** How often the listing looks for one that could be helped. */
const tickMs = 100;

/** A tree to be listed. `level` is the level from which its prefix was taken. */
interface TreeJob {
  prefix: string;
  level?: DividedLevel;
}

/** A tree that is being listed. */
interface RunningTree {
  parts: TreeParts;
  startedAt: number;
  firstAt: number | undefined;
  /** Whether the next level of the tree is being looked at. */
  isLooking: boolean;
  isUndivided: boolean;
}

type Costs = Pick<TreeView, "paceMs" | "startMs">;

/** One try of a listing in parts. */
export class DividedListing {
  readonly parts: KeptPart[] = [];
  /** Entries that rclone dropped from divided trees, by their paths below the root. */
  readonly dropped: Unlistable[] = [];
  version: string | undefined;
  absent = false;
  /** The prefix that showed that the store does not list in order. */
  outOfOrder: string | undefined;
  readonly #lister: PartLister;
  readonly #options: ParallelOptions;
  readonly #store: PartStore;
  readonly #isDivisible: boolean;
  readonly #rules: ReliefRules;
  readonly #failure = new AbortController();
  readonly #failures: unknown[] = [];
  readonly #totals: ListingTotals = { objects: 0, bytes: 0 };
  readonly #waiting: TreeJob[] = [];
  readonly #running = new Set<RunningTree>();
  readonly #undivided: { prefix: string; problem: string }[] = [];
  readonly #empty: string[] = [];
  #busy = 0;
  #alone: Costs | undefined;
  #lastAlone: Costs | undefined;
  #wake: () => void = () => {};

  constructor(lister: ListingSetup, options: ParallelOptions, store: PartStore, isDivisible: boolean) {
    const stop = AbortSignal.any([lister.stop, this.#failure.signal]);
    const checkers = isDivisible ? undefined : Math.max(checkersDefault, options.listers);
    this.#lister = new PartLister({ ...lister, stop }, options, store, checkers);
    this.#options = options;
    this.#store = store;
    this.#isDivisible = isDivisible;
    this.#rules = {
      listers: options.listers,
      pageObjects: listChunk(options.request.extraFlags, process.env),
      atOnce: options.atOnce ?? false,
    };
  }

  /** Lists everything. The first failure stops all listings under way, and is thrown when they have ended. */
  async list(): Promise<void> {
    const { kept, waiting } = await planListing(this.#store, this.#rules, this.#isDivisible);
    this.parts.push(...kept);
    for (const { note } of kept) this.#add(note.objects, 0);
    this.#waiting.push(...waiting.map((prefix) => ({ prefix })));
    if (kept.length > 0) this.#options.live?.fail(new Divided());
    const timer = setInterval(() => this.#wake(), tickMs);
    try {
      for (;;) {
        while (this.#failures.length === 0 && this.#busy < this.#options.listers && this.#beginNext());
        if (this.#busy === 0) break;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearInterval(timer);
    }
    if (this.#failures.length > 0) throw this.#failures[0];
    this.#sayUndivided();
    this.#sayEmpty();
  }

  /** Begins the next useful work for a free listing; false when there is none. */
  #beginNext(): boolean {
    const job = this.#waiting.shift();
    if (job) {
      this.#begin(() => this.#tree(job));
      return true;
    }
    for (const tree of this.#running) {
      if (tree.isLooking) continue;
      const relief = reliefOf(this.#view(tree), this.#rules);
      const level = relief?.do === "claim" ? tree.parts.levels[relief.level] : undefined;
      if (level) this.#begin(() => this.#tree({ prefix: tree.parts.claim(level), level }));
      else if (relief?.do === "look" && !tree.isUndivided) this.#begin(() => this.#divide(tree));
      else continue;
      return true;
    }
    return false;
  }

  #begin(work: () => Promise<void>): void {
    if (this.#busy > 0) this.#alone ??= this.#lastAlone;
    this.#busy++;
    void work()
      .catch((error: unknown) => {
        if (error instanceof OutOfOrder) this.outOfOrder = error.message;
        this.#failures.push(error);
        this.#failure.abort("SIGTERM");
      })
      .finally(() => {
        this.#busy--;
        this.#wake();
      });
  }

  #view(tree: RunningTree): TreeView {
    const { parts, firstAt, isUndivided } = tree;
    return {
      listedMs: firstAt === undefined ? undefined : performance.now() - firstAt,
      ...this.#costs(tree),
      objects: parts.objects,
      levels: parts.levels.map((level) => ({
        ahead: level.ahead.length,
        objects: parts.typicalObjects(level),
        isProbed: level.sizes.length === 0 && level.claimed.size > 0,
      })),
      next: this.#isDivisible && !isUndivided ? parts.next() : undefined,
    };
  }

  /** The time of a start and of 1,000 objects, as measured before others helped the first listing. */
  #costs({ parts, startedAt, firstAt }: RunningTree): Costs {
    if (this.#alone) return this.#alone;
    const now = performance.now();
    const paceMs = (1_000 * (now - (firstAt ?? now))) / Math.max(1, parts.objects);
    // The first entry comes with the first page, whose time is no part of the start.
    const pageMs = (paceMs * this.#rules.pageObjects) / 1_000;
    const costs = { paceMs, startMs: Math.max(0, (firstAt ?? now) - startedAt - pageMs) };
    if (this.#busy === 1 && firstAt !== undefined) this.#lastAlone = costs;
    return costs;
  }

  /** Lists everything below a prefix, but for the prefixes that other listings claim. */
  async #tree({ prefix, level }: TreeJob): Promise<void> {
    const keeps = new Map<string, (note: PartNote) => KeptPart>();
    let end: ListingEnd | undefined;
    const parts: TreeParts = new TreeParts(
      prefix,
      (below) => {
        const { file, keep } = this.#store.start("tree", below);
        keeps.set(below, keep);
        return file;
      },
      (below, file, objects) => {
        file.commit();
        const part = keeps.get(below)?.(noteOf(objects, parts.isDivided ? undefined : end));
        if (part) this.parts.push(part);
      },
    );
    const tree: RunningTree = {
      parts,
      ...{ startedAt: performance.now(), firstAt: undefined, isLooking: false, isUndivided: false },
    };
    this.#running.add(tree);
    try {
      end = await this.#lister.list(prefix, true, async (stream) => {
        try {
          const { closed, isOver } = await readTree(stream, parts, (line) => {
            tree.firstAt ??= performance.now();
            this.#add(1, sizeOf(line));
            this.#options.live?.take(line);
          });
          // A listing that ends is not divided any more.
          this.#running.delete(tree);
          return { objects: parts.objects, closed, isOver };
        } catch (error) {
          if (error instanceof OutOfOrder) this.outOfOrder = error.message;
          throw error;
        }
      });
      parts.finish();
    } catch (error) {
      parts.abort();
      throw error;
    } finally {
      this.#running.delete(tree);
    }
    this.version ??= end.version;
    this.absent ||= end.absent;
    if (parts.isDivided) this.#addDropped(prefix, end);
    level?.sizes.push(parts.objects);
    for (const left of parts.levels) {
      for (const name of left.ahead)
        this.#waiting.push({ prefix: joinPrefix(left.prefix, name), level: left });
    }
    if (level !== undefined && parts.objects === 0) this.#empty.push(prefix);
  }

  #addDropped(prefix: string, { dropped }: ListingEnd): void {
    for (const { path, reason } of dropped) this.dropped.push({ path: joinPrefix(prefix, path), reason });
  }

  /** Looks at the level below which a tree is being listed. Divides the tree there if the listing is still below it. */
  async #divide(tree: RunningTree): Promise<void> {
    const prefix = tree.parts.openPrefix;
    if (prefix === undefined) return;
    tree.isLooking = true;
    try {
      const { level, part, version } = await this.#lister.level(prefix);
      this.version ??= version;
      if (!this.#running.has(tree) || tree.parts.openPrefix !== prefix) return;
      const ahead = [...this.#running].flatMap(({ parts }) => parts.levels.map((one) => one.ahead.length));
      const taken = this.parts.length + this.#waiting.length + this.#busy + ahead.reduce((a, b) => a + b, 0);
      const problem = splitProblem(level, partsMax - taken);
      if (problem === undefined && part) {
        this.#options.live?.fail(new Divided());
        tree.parts.divide(level.names);
        this.parts.push(part);
      } else {
        tree.isUndivided = true;
        if (problem !== undefined) this.#undivided.push({ prefix, problem });
      }
    } finally {
      tree.isLooking = false;
    }
  }

  #add(objects: number, bytes: number): void {
    this.#totals.objects += objects;
    this.#totals.bytes += bytes;
    if (objects !== 1 || this.#totals.objects % 1_000 === 0) this.#options.onProgress(this.#totals);
  }

  #sayUndivided(): void {
    const [first] = this.#undivided;
    if (!first) return;
    const where = rootBelow(this.#options.request.root, first.prefix);
    const more = this.#undivided.length > 1 ? ` (and ${this.#undivided.length - 1} more prefixes)` : "";
    log.info(`${where} is listed in one piece: ${first.problem}${more}`);
  }

  /** Warns of prefixes that were empty: a prefix of an object store exists only while an object is below it. */
  #sayEmpty(): void {
    const [first] = this.#empty;
    if (first === undefined) return;
    log.warn(
      `${this.#empty.length} prefixes were seen but had no object when they were listed, the first: ${first}`,
    );
  }
}
