import type { FailureClass } from "../../lib/rclone/failure-class.ts";

/** The most starts of rclone that one pass may take to find the records that make rclone abort. */
const startsMax = 128;
/** How many single records are tried before a failure counts as one of every record. */
const samplesMax = 8;

/** Records of a group by their rank in it: from `from` up to, but not including, `to`. */
export interface Piece {
  from: number;
  to: number;
}

/** The outcome of an rclone for the records that it was given: see `pieceOutcome`. */
export type PieceOutcome = "went-on" | "aborted" | "everything";

/**
 * Judges the records that an rclone was given by how it ended:
 *
 * | rclone | outcome |
 * |---|---|
 * | never spoke, or fell silent, whatever it had proved: its step is gone, and Slurm may count it as running | everything: no record is to blame |
 * | proved a record, or ended with 0 | went on |
 * | named every record that is not proven | went on |
 * | failed for its container or its configuration | everything: no record is to blame |
 * | ended otherwise, and did not name some records | aborted: one record may have stopped it |
 */
export function pieceOutcome(facts: {
  proved: boolean;
  exitCode: number | null;
  /** Unproven records of the piece that rclone did not name. */
  unnamed: number;
  /** Whether rclone itself never spoke, or its log fell silent. */
  unheard: boolean;
  /** The class of the message that is about no single record. */
  failure: FailureClass;
}): PieceOutcome {
  if (facts.unheard && facts.exitCode !== 0) return "everything";
  if (facts.proved || facts.exitCode === 0) return "went-on";
  if (facts.failure === "container" || facts.failure === "config") return "everything";
  return facts.unnamed === 0 ? "went-on" : "aborted";
}

/**
 * Whether the records of a group are to be tried in pieces after rclone was given them together:
 *
 * | rclone | cut |
 * |---|---|
 * | went on, or no record was to blame | no |
 * | was given one record | no: its failure is its own |
 * | aborted, and an earlier cut of this attempt found that every record aborts | no |
 * | aborted by throttling or the network, for the first time, and another pass follows | no: such a failure ends by itself |
 * | aborted otherwise | yes |
 */
export function isToCut(facts: {
  outcome: PieceOutcome;
  records: number;
  /** Whether an earlier cut of this attempt found that every record aborts. */
  wasGeneral: boolean;
  failure: FailureClass;
  /** Whether the pass before this one aborted too. */
  abortedBefore: boolean;
  isLastPass: boolean;
}): boolean {
  if (facts.outcome !== "aborted" || facts.records < 2 || facts.wasGeneral) return false;
  const mayEnd = facts.failure === "throttled" || facts.failure === "network";
  return !mayEnd || facts.abortedBefore || facts.isLastPass;
}

/** How far the search for the records that make rclone abort has come. */
export interface Cut {
  /** Single records are tried first, to tell one bad record from a failure that all have. */
  phase: "samples" | "pieces" | "ended";
  records: number;
  starts: number;
  waiting: readonly Piece[];
  /** Whether every record that was tried alone aborted, so that the failure is about no single one. */
  isGeneral: boolean;
}

/** Begins the search among the records of a group that aborted. */
export function beginCut(records: number): Cut {
  const ranks = new Set<number>();
  // The samples are at the fractions 1/2, 1/4, 3/4, 1/8, ...: bad records may lie side by side, in one folder.
  for (let i = 1; ranks.size < Math.min(samplesMax, records) && i < 4 * records; i++) {
    ranks.add(Math.floor(records * spread(i)));
  }
  const waiting = [...ranks].map((rank) => ({ from: rank, to: rank + 1 }));
  return { phase: "samples", records, starts: 0, waiting, isGeneral: false };
}

/** The binary digits of a number, mirrored at the point (van der Corput's sequence): 1/2, 1/4, 3/4, 1/8, ... */
function spread(index: number): number {
  let value = 0;
  for (let left = index, weight = 0.5; left > 0; left = Math.floor(left / 2), weight /= 2) {
    value += (left % 2) * weight;
  }
  return value;
}

/** The piece to try next: the next sample, or the largest of the pieces; undefined when the search is over. */
export function nextPiece(cut: Cut): Piece | undefined {
  if (cut.phase === "ended" || cut.starts >= startsMax) return undefined;
  if (cut.phase === "samples") return cut.waiting[0];
  return cut.waiting.reduce<Piece | undefined>(
    (largest, piece) => (largest && size(largest) >= size(piece) ? largest : piece),
    undefined,
  );
}

/**
 * How the search goes on after a piece was tried:
 *
 * | piece | outcome | then |
 * |---|---|---|
 * | a sample | went on | one record can be copied: all records are tried in two halves |
 * | a sample | aborted | the next sample; after the last one, every record aborts, and the search ends |
 * | a half | went on | the whole piece is copied |
 * | a half | aborted | its own two halves; a half of one record is a record that was looked for |
 * | any | everything | the search ends: no record is to blame |
 *
 * `started` is false for a piece without records to do, for which rclone was not started.
 */
export function afterPiece(cut: Cut, piece: Piece, outcome: PieceOutcome, started = true): Cut {
  const starts = cut.starts + (started ? 1 : 0);
  const waiting = cut.waiting.filter((one) => one !== piece);
  if (outcome === "everything") return { ...cut, phase: "ended", starts, waiting: [] };
  if (cut.phase === "samples") {
    if (outcome === "went-on") {
      const all = halves({ from: 0, to: cut.records });
      return { ...cut, phase: "pieces", starts, waiting: all };
    }
    const isGeneral = waiting.length === 0;
    return { ...cut, phase: isGeneral ? "ended" : "samples", starts, waiting, isGeneral };
  }
  if (outcome === "aborted" && size(piece) > 1) waiting.push(...halves(piece));
  return { ...cut, phase: waiting.length === 0 ? "ended" : "pieces", starts, waiting };
}

const size = ({ from, to }: Piece): number => to - from;

function halves({ from, to }: Piece): Piece[] {
  const middle = from + Math.ceil((to - from) / 2);
  return [
    { from, to: middle },
    { from: middle, to },
  ].filter((piece) => size(piece) > 0);
}
