import type { FailureClass } from "../lib/rclone/failure-class.ts";
import { XferError } from "../lib/system/errors.ts";
import {
  afterPiece,
  beginCut,
  isToCut,
  nextPiece,
  type Piece,
  type PieceOutcome,
  pieceOutcome,
} from "./decide/cut.ts";
import type { PassRun } from "./rclone-run.ts";
import type { Worklist } from "./worklist.ts";

/** A run of rclone over the records that are to do and for which `includes` says so; undefined when there are none. */
export type RunOver = (
  includes: (place: number) => boolean,
  isPiece: boolean,
) => Promise<PassRun | undefined>;

/** What passes that aborted have taught an attempt. */
export interface CutMemory {
  /** Whether the last pass aborted. */
  aborted: boolean;
  /** Whether every record aborts. */
  isGeneral: boolean;
}

/**
 * Runs rclone over what is to do in `group`, and over ever smaller pieces of it when that aborts with nothing proven: one
 * bad record must not keep its neighbours from being copied. Gives the runs in their order; `memory` is kept from pass to
 * pass.
 */
export async function runWithCuts(options: {
  worklist: Worklist;
  count: number;
  group: (place: number) => boolean;
  run: RunOver;
  memory: CutMemory;
  isLastPass: boolean;
  stop: AbortSignal;
  note: (message: string) => void;
}): Promise<PassRun[]> {
  const { worklist, group, run, memory, stop, note } = options;
  const whole = await run(group, false);
  if (!whole) return [];
  const { outcome, failure } = await outcomeOf(whole, worklist);
  const abortedBefore = memory.aborted;
  memory.aborted = outcome === "aborted";
  const facts = { outcome, failure, abortedBefore, records: whole.records };
  const { wasGeneral, isLastPass } = { wasGeneral: memory.isGeneral, isLastPass: options.isLastPass };
  if (stop.aborted || !isToCut({ ...facts, wasGeneral, isLastPass })) return [whole];
  note(`the pass aborted with nothing proven: what stops it is looked for among ${whole.records} objects`);
  const places = placesOf(group, options.count);
  const pieces: PassRun[] = [];
  let cut = beginCut(places.length);
  for (;;) {
    const piece = nextPiece(cut);
    if (!piece || stop.aborted) break;
    const isIn = inPiece(places, piece);
    const tried = await run((place) => group(place) && isIn(place), true);
    if (tried) pieces.push(tried);
    const said = tried ? (await outcomeOf(tried, worklist)).outcome : "went-on";
    if (tried?.records === 1 && said === "aborted") await worklist.leaveOutAlone(tried);
    cut = afterPiece(cut, piece, said, tried !== undefined);
  }
  memory.isGeneral = cut.isGeneral;
  const left = cut.waiting.reduce((sum, { from, to }) => sum + to - from, 0);
  note(
    cut.isGeneral
      ? `each of ${cut.starts} objects aborts alone: it is about no single one`
      : `searched with ${cut.starts} starts${left > 0 ? `: ${left} objects not reached` : ""}`,
  );
  // What the search did not reach is not to blame; where all that was tried aborts, the rest fails for the same reason.
  const last = pieces.at(-1);
  const rest = cut.isGeneral && last ? { ...whole, result: last.result } : { ...whole, isPiece: true };
  return [rest, ...pieces];
}

async function outcomeOf(
  run: PassRun,
  worklist: Worklist,
): Promise<{ outcome: PieceOutcome; failure: FailureClass }> {
  const { result, proved } = run;
  if (result instanceof XferError)
    return { outcome: "everything", failure: worklist.causeOf(result.message).class };
  const { exit, error, spoke, hang } = result;
  const failure = error?.class ?? "unknown";
  const unnamed = proved || exit.code === 0 ? 0 : await worklist.countUnnamed(run, result.objectErrors);
  const unheard = !spoke || hang === "silent";
  return { outcome: pieceOutcome({ proved, exitCode: exit.code, unnamed, unheard, failure }), failure };
}

/** The places of a group, in order, by their rank. */
function placesOf(group: (place: number) => boolean, count: number): Uint32Array {
  const places = new Uint32Array(count);
  let found = 0;
  for (let place = 0; place < count; place++) {
    if (group(place)) places[found++] = place;
  }
  return places.subarray(0, found);
}

function inPiece(places: Uint32Array, { from, to }: Piece): (place: number) => boolean {
  const [first = 0, last = 0] = [places[from], places[to - 1]];
  return (place) => place >= first && place <= last;
}
