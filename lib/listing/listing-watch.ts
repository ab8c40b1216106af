import { type Hindrance, hindranceOf, hindranceText, type Side } from "../rclone/hindrance.ts";
import { inquire } from "../rclone/inquiry.ts";
import { parseLogLine } from "../rclone/log.ts";
import { log } from "../system/log.ts";
import { RunningTime } from "../system/running-time.ts";
import { formatDuration } from "../system/units.ts";

/** The reason why a listing waits, and since when. */
interface ListingHindrance extends Hindrance {
  side: Side;
  since: Date;
}

/** Takes the reason why a listing waits, and undefined when it goes on. */
export type OnHindrance = (hindrance: ListingHindrance | undefined) => void;

const tickMs = 500;
/** When a listing has been silent for this long, a second rclone asks why. */
const silenceMs = 4_000;
/** Where no second rclone can ask, a silence of this length is told. */
const untoldSilenceMs = 15_000;
const askAgainMs = 15_000;
const openBrace = 0x7b;

/** The listing that is watched, and how a second rclone can ask. */
interface WatchOptions {
  side: Side;
  root: string;
  /** The command of a listing that gives up at once; undefined where another start of rclone would cost too much. */
  inquiry: { argv: readonly string[]; env: Record<string, string> } | undefined;
  onHindrance?: OnHindrance | undefined;
  stop: AbortSignal;
}

/**
 * Notices a listing that gets no answer, finds out why, and tells it. rclone repeats a request for a minute or two before it
 * says anything. After some seconds of silence a second rclone, which does not repeat, therefore asks the place.
 */
export class ListingWatch {
  readonly #options: WatchOptions;
  readonly #end = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #time = new RunningTime(performance.now(), 2 * tickMs);
  #silent = 0;
  #sinceAsk = Number.POSITIVE_INFINITY;
  /** Whether rclone has said anything. Before that its container may be starting, or waiting for Slurm. */
  #begun = false;
  /** Whether the reader of the listing is at work, for which rclone waits. */
  #isBusy = false;
  #asking = false;
  #told = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  /** Takes a line of rclone's log. */
  line(text: string): void {
    const event = parseLogLine(text);
    if (event.kind === "retry") {
      const found = hindranceOf(event.message);
      if (found) this.#tell(found);
    } else if (!text.includes('"object":"pacer"')) this.#heard();
  }

  /** Passes a listing on. While its reader works, the time does not count as silence. */
  async *watch(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of stream) {
      this.#heard();
      // rclone prints its opening bracket before it looks at the place: only an entry is an answer.
      if (chunk.includes(openBrace)) this.answered();
      this.#isBusy = true;
      yield chunk;
      this.#isBusy = false;
      this.#silent = 0;
    }
  }

  /** Ends the watch. The caller tells how the listing ended. */
  end(): void {
    clearInterval(this.#timer);
    this.#end.abort();
    if (this.#options.onHindrance === undefined) said.delete(this.#options.side);
  }

  #heard(): void {
    this.#begun = true;
    this.#silent = 0;
    this.#sinceAsk = Number.POSITIVE_INFINITY;
  }

  /** Call this when the place has answered: a reason that was told is then taken back. */
  answered(): void {
    if (!this.#told) return;
    this.#told = false;
    const { onHindrance, side, root } = this.#options;
    if (onHindrance) onHindrance(undefined);
    else sayAnswers(side, root);
  }

  #tick(): void {
    const passed = this.#time.since(performance.now());
    if (!this.#begun || this.#isBusy) return;
    this.#silent += passed;
    this.#sinceAsk += passed;
    const { inquiry } = this.#options;
    if (!inquiry) {
      if (this.#silent >= untoldSilenceMs && !this.#told)
        this.#tell({ class: "unknown", what: "does not answer" });
    } else if (!this.#asking && this.#silent >= silenceMs && this.#sinceAsk >= askAgainMs) {
      this.#sinceAsk = 0;
      this.#asking = true;
      void this.#ask(inquiry).finally(() => {
        this.#asking = false;
      });
    }
  }

  async #ask({ argv, env }: NonNullable<WatchOptions["inquiry"]>): Promise<void> {
    const stop = AbortSignal.any([this.#end.signal, this.#options.stop]);
    const message = await inquire(argv, env, stop).catch(() => undefined);
    const found = message === undefined ? undefined : hindranceOf(message);
    // The listing may have gone on meanwhile.
    if (found && !stop.aborted && this.#silent >= silenceMs) this.#tell(found);
  }

  #tell(found: Hindrance): void {
    if (this.#end.signal.aborted) return;
    this.#told = true;
    const { onHindrance, side, root } = this.#options;
    if (onHindrance) onHindrance({ ...found, side, since: new Date(Date.now() - this.#silent) });
    else sayHindered(side, root, found, this.#silent);
  }
}

/** The last message about each side. Listings that run side by side share it, and print it once. */
const said = new Map<Side, string>();

function sayHindered(side: Side, root: string, found: Hindrance, forMs: number): void {
  if (said.get(side) === found.what) return;
  said.set(side, found.what);
  log.warn(
    `${hindranceText(side, found)}, since ${formatDuration(Math.max(1, forMs / 1000))} (${root}): rclone tries again, for some minutes`,
  );
}

function sayAnswers(side: Side, root: string): void {
  if (said.delete(side)) log.info(`the ${side} answers again (${root})`);
}
