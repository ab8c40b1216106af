import { type FailureClass, worstClass } from "../lib/rclone/failure-class.ts";
import { type Cause, causeOf } from "../lib/rclone/telling.ts";
import type { Journal } from "../lib/run/journal.ts";
import type { ShardRecords } from "../lib/shard/records.ts";
import { explainUnproven, isFinal, isSettled, type UnprovenRecord, wordOn } from "./decide/unproven.ts";
import type { PassRun } from "./rclone-run.ts";

/** Messages of which the cause is remembered: they are mostly the same few. */
const causesMax = 10_000;

/** What is not proven of a shard, and why. */
export interface Unproven {
  records: UnprovenRecord[];
  /** How many of them no other pass of this attempt can prove. */
  settled: number;
  /** How many of them rclone passed over in silence. */
  unmentioned: number;
  /** The class of those that are not settled, or of all when all are. */
  failure: FailureClass;
  /** Whether only the user cures that. */
  final: boolean;
}

/** What an attempt has left to do, and why what it could not do failed. */
export class Worklist {
  /** Records that a listing found at the destination with the same size: 1. */
  mayBeThere: Uint8Array | undefined;
  readonly #records: ShardRecords;
  readonly #journal: Journal;
  /** Those that no other pass of this attempt can prove. */
  readonly #settled = new Map<number, UnprovenRecord>();
  /** Those that were left out of the pass. */
  readonly #leftOut = new Map<number, UnprovenRecord>();
  readonly #causes = new Map<string, Cause>();

  constructor(records: ShardRecords, journal: Journal) {
    this.#records = records;
    this.#journal = journal;
  }

  /** Whether the pass is to copy a record. */
  isToDo(place: number): boolean {
    return !this.#journal.proofs.get(place) && !this.#settled.has(place) && !this.#leftOut.has(place);
  }

  /** Those of a group that are to do. */
  ofGroup(mayBeThere: boolean): (place: number) => boolean {
    return (place) => this.isToDo(place) && (this.mayBeThere?.[place] === 1) === mayBeThere;
  }

  /** A new pass: what was left out of the last one is to do again. */
  startPass(): void {
    this.#leftOut.clear();
  }

  /** Leaves a record out of this pass, or of all when its failure is settled. */
  leaveOut(record: UnprovenRecord): void {
    (isSettled(record) ? this.#settled : this.#leftOut).set(record.place, record);
  }

  readonly causeOf = (message: string): Cause => {
    const known = this.#causes.get(message) ?? causeOf(message);
    if (this.#causes.size < causesMax) this.#causes.set(message, known);
    return known;
  };

  /** How many records of a run are to do still, without a word of rclone's own about them. */
  async countUnnamed(run: PassRun, objectErrors: ReadonlyMap<string, string>): Promise<number> {
    let unnamed = 0;
    await this.#eachOf(run, ({ key }) => {
      if (wordOn(key, objectErrors) === undefined) unnamed++;
    });
    return unnamed;
  }

  /** Leaves the one record that stopped a run of its own out of the pass. */
  async leaveOutAlone(run: PassRun): Promise<void> {
    const found: UnprovenRecord[] = [];
    await this.#eachOf(run, ({ place, key }) => found.push(explainUnproven(place, key, run, this.causeOf)));
    for (const record of found) this.leaveOut(record);
  }

  #eachOf(run: PassRun, each: (record: { place: number; key: string }) => void): Promise<void> {
    return this.#records.eachWhere((place) => run.includes(place) && this.isToDo(place), each);
  }

  /** Why each record that is not proven is not: the last run that included it says so. */
  async explain(runs: readonly PassRun[]): Promise<Unproven> {
    const open: UnprovenRecord[] = [...this.#leftOut.values()];
    if (this.#journal.proofs.count < this.#records.count) {
      await this.#records.eachWhere(
        (place) => this.isToDo(place),
        ({ place, key }) => {
          const run = runs.findLast(({ includes }) => includes(place)) ?? runs.at(-1);
          if (!run) return;
          const record = explainUnproven(place, key, run, this.causeOf);
          if (isSettled(record)) this.#settled.set(place, record);
          else open.push(record);
        },
      );
    }
    const settled = [...this.#settled.values()];
    const deciding = open.length > 0 ? open : settled;
    const failure = worstClass(deciding.map((record) => record.class));
    return {
      records: [...settled, ...open],
      settled: settled.length,
      unmentioned: open.filter(({ unmentioned }) => unmentioned).length,
      failure,
      final: deciding.some((record) => record.class === failure && isFinal(record)),
    };
  }
}
