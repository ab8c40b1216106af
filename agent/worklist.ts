import { type FailureClass, worstClass } from "../lib/rclone/failure-class.ts";
import { type Cause, causeOf } from "../lib/rclone/telling.ts";
import type { Journal, Proof } from "../lib/run/journal.ts";
import type { ShardRecords } from "../lib/shard/records.ts";
import { explainUnproven, isFinal, isSettled, type UnprovenRecord, wordOn } from "./decide/unproven.ts";
import type { PassPart } from "./pass-part.ts";

/** The most messages whose cause is remembered; a shard's failures mostly share a few. */
const causesMax = 10_000;

/** The records of a shard that are not proven, and why. */
export interface Unproven {
  records: UnprovenRecord[];
  /** How many of them no other pass of this attempt can prove. */
  settled: number;
  /** How many of them rclone passed over in silence. */
  unmentioned: number;
  /** The class of the records that are not settled, or of all when all are. */
  failure: FailureClass;
  /** Whether only the user can cure a failure of that class here. */
  final: boolean;
}

/**
 * The records of an attempt and how they stand. A record, known by its index in the shard, is in one of four states:
 *
 * | state | ends |
 * |---|---|
 * | to do | when it is proven or left out |
 * | proven | never, unless the journal drops proofs of data that is not on stable storage |
 * | left out of the pass | when the next pass starts |
 * | settled: its own failure is one that only the user cures | never in this attempt |
 */
export class Worklist {
  /** Holds 1 for each record that a listing found at the destination with the same size; undefined when there is none. */
  mayBeThere: Uint8Array | undefined;
  readonly #records: ShardRecords;
  readonly #journal: Journal;
  readonly #onProven: (size: number, proof: Proof) => void;
  readonly #settled = new Map<number, UnprovenRecord>();
  readonly #leftOut = new Map<number, UnprovenRecord>();
  readonly #causes = new Map<string, Cause>();

  /** `onProven` hears of each record that `prove` proves. */
  constructor(
    records: ShardRecords,
    journal: Journal,
    onProven: (size: number, proof: Proof) => void = () => undefined,
  ) {
    this.#records = records;
    this.#journal = journal;
    this.#onProven = onProven;
  }

  /** How many records are not proven. */
  get unproven(): number {
    return this.#records.count - this.#journal.proofs.count;
  }

  /** Whether the pass is to copy a record. */
  isToDo(index: number): boolean {
    return !this.#journal.proofs.get(index) && !this.#settled.has(index) && !this.#leftOut.has(index);
  }

  /** Tells the records to do that may be at the destination from those that are not there. */
  ofGroup(mayBeThere: boolean): (index: number) => boolean {
    return (index) => this.isToDo(index) && (this.mayBeThere?.[index] === 1) === mayBeThere;
  }

  /** Notes a proof in the journal. A record that is proven already stays as it is. */
  prove(index: number, proof: Proof): void {
    if (this.#journal.add(index, proof)) this.#onProven(this.#records.sizeOf(index), proof);
  }

  /** Calls `each` for every record that is proven. */
  forEachProven(each: (size: number, proof: Proof) => void): void {
    for (let index = 0; index < this.#records.count; index++) {
      const proof = this.#journal.proofs.get(index);
      if (proof) each(this.#records.sizeOf(index), proof);
    }
  }

  /** Starts a pass: records that the last one left out are to do again. */
  startPass(): void {
    this.#leftOut.clear();
  }

  /** Leaves a record out of this pass, or out of all passes when its failure is settled. */
  leaveOut(record: UnprovenRecord): void {
    (isSettled(record) ? this.#settled : this.#leftOut).set(record.index, record);
  }

  /** Leaves out each record to do for whose key `reasonFor` gives a failure, and returns these records. */
  async leaveOutWhere(
    reasonFor: (key: string) => Omit<UnprovenRecord, "index"> | undefined,
  ): Promise<readonly UnprovenRecord[]> {
    const found: UnprovenRecord[] = [];
    await this.#records.eachWhere(
      (index) => this.isToDo(index),
      ({ index, key }) => {
        const reason = reasonFor(key);
        if (reason) found.push({ index, ...reason });
      },
    );
    for (const record of found) this.leaveOut(record);
    return found;
  }

  /** The cause that a message tells. */
  readonly causeOf = (message: string): Cause => {
    const known = this.#causes.get(message) ?? causeOf(message);
    if (this.#causes.size < causesMax) this.#causes.set(message, known);
    return known;
  };

  /** How many records of a part are to do still without a word of rclone's about them. */
  async countUnnamed(part: PassPart, objectErrors: ReadonlyMap<string, string>): Promise<number> {
    let unnamed = 0;
    await this.#eachOf(part, ({ key }) => {
      if (wordOn(key, objectErrors) === undefined) unnamed++;
    });
    return unnamed;
  }

  /** Leaves out the one record of a part that aborted with it alone. */
  async leaveOutAlone(part: PassPart): Promise<void> {
    const found: UnprovenRecord[] = [];
    await this.#eachOf(part, ({ index, key }) => found.push(explainUnproven(index, key, part, this.causeOf)));
    for (const record of found) this.leaveOut(record);
  }

  #eachOf(part: PassPart, each: (record: { index: number; key: string }) => void): Promise<void> {
    return this.#records.eachWhere((index) => part.includes(index) && this.isToDo(index), each);
  }

  /** Says why each record that is not proven is not: the last part of the pass that included it decides. */
  async explain(parts: readonly PassPart[]): Promise<Unproven> {
    const open: UnprovenRecord[] = [...this.#leftOut.values()];
    if (this.unproven > 0) {
      await this.#records.eachWhere(
        (index) => this.isToDo(index),
        ({ index, key }) => {
          const part = parts.findLast(({ includes }) => includes(index)) ?? parts.at(-1);
          if (!part) return;
          const record = explainUnproven(index, key, part, this.causeOf);
          if (isSettled(record)) this.#settled.set(index, record);
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

  /** Every record that is not proven, with one cause for all. */
  allUnproven({ class: failure, message, final }: Cause): UnprovenRecord[] {
    const unproven: UnprovenRecord[] = [];
    for (let index = 0; index < this.#records.count; index++) {
      if (!this.#journal.proofs.get(index)) unproven.push({ index, class: failure, message, final });
    }
    return unproven;
  }
}
