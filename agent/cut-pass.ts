import type { FailureClass } from "../lib/rclone/failure-class.ts";
import { XferError } from "../lib/system/errors.ts";
import {
  afterPiece,
  beginCut,
  type Cut,
  isToCut,
  nextPiece,
  type Piece,
  type PieceOutcome,
  pieceOutcome,
} from "./decide/cut.ts";
import type { PassPart } from "./pass-part.ts";
import type { Worklist } from "./worklist.ts";

/** Copies the records to do that are included; undefined when there are none. */
export type CopyPart = (
  includes: (index: number) => boolean,
  isPiece: boolean,
) => Promise<PassPart | undefined>;

/** The lessons of an attempt from passes that aborted. */
export interface CutMemory {
  /** Whether the last pass aborted. */
  aborted: boolean;
  /** Whether every record aborts. */
  isGeneral: boolean;
}

/**
 * Copies the records of `group` together. If rclone aborts with none of them proven, the group is cut into ever smaller
 * pieces: one bad record must not keep its neighbours from being copied. Returns the parts in the order of their copies;
 * `memory` is kept from pass to pass.
 */
export async function runWithCuts(options: {
  worklist: Worklist;
  count: number;
  group: (index: number) => boolean;
  copy: CopyPart;
  memory: CutMemory;
  isLastPass: boolean;
  stop: AbortSignal;
  note: (message: string) => void;
}): Promise<PassPart[]> {
  const { worklist, group, copy, memory, stop, note, isLastPass } = options;
  const whole = await copy(group, false);
  if (!whole) return [];
  const { outcome, failure } = await outcomeOf(whole, worklist);
  const abortedBefore = memory.aborted;
  memory.aborted = outcome === "aborted";
  const facts = { outcome, failure, abortedBefore, records: whole.records };
  if (stop.aborted || !isToCut({ ...facts, wasGeneral: memory.isGeneral, isLastPass })) return [whole];
  note(`the pass aborted with nothing proven: what stops it is looked for among ${whole.records} objects`);
  const indices = indicesOf(group, options.count);
  const pieces: PassPart[] = [];
  let cut = beginCut(indices.length);
  for (;;) {
    const piece = nextPiece(cut);
    if (!piece || stop.aborted) break;
    const isIn = inPiece(indices, piece);
    const tried = await copy((index) => group(index) && isIn(index), true);
    if (tried) pieces.push(tried);
    const said = tried ? (await outcomeOf(tried, worklist)).outcome : "went-on";
    if (tried?.records === 1 && said === "aborted") await worklist.leaveOutAlone(tried);
    cut = afterPiece(cut, piece, said, tried !== undefined);
  }
  memory.isGeneral = cut.isGeneral;
  note(searchText(cut));
  // Records that the search did not reach are not to blame. Where every tried one aborts, the rest fails for its reason.
  const last = pieces.at(-1);
  const rest = cut.isGeneral && last ? { ...whole, result: last.result } : { ...whole, isPiece: true };
  return [rest, ...pieces];
}

function searchText({ isGeneral, starts, waiting }: Cut): string {
  if (isGeneral) return `each of ${starts} objects aborts alone: it is about no single one`;
  const left = waiting.reduce((sum, { from, to }) => sum + to - from, 0);
  return `searched with ${starts} starts${left > 0 ? `: ${left} objects not reached` : ""}`;
}

async function outcomeOf(
  part: PassPart,
  worklist: Worklist,
): Promise<{ outcome: PieceOutcome; failure: FailureClass }> {
  const { result, proved } = part;
  if (result instanceof XferError)
    return { outcome: "everything", failure: worklist.causeOf(result.message).class };
  const { exit, error, spoke, hang } = result;
  const failure = error?.class ?? "unknown";
  const unnamed = proved || exit.code === 0 ? 0 : await worklist.countUnnamed(part, result.objectErrors);
  const unheard = !spoke || hang === "silent";
  return { outcome: pieceOutcome({ proved, exitCode: exit.code, unnamed, unheard, failure }), failure };
}

/** The indices of a group's records, in order: the number of an index in this list is the record's rank. */
function indicesOf(group: (index: number) => boolean, count: number): Uint32Array {
  const indices = new Uint32Array(count);
  let found = 0;
  for (let index = 0; index < count; index++) {
    if (group(index)) indices[found++] = index;
  }
  return indices.subarray(0, found);
}

function inPiece(indices: Uint32Array, { from, to }: Piece): (index: number) => boolean {
  const [first = 0, last = 0] = [indices[from], indices[to - 1]];
  return (index) => index >= first && index <= last;
}
