import { type AutoThrottle, autoThrottle, type ThrottleTick } from "../../lib/operate/auto-throttle.ts";
import type { RunLook } from "../../lib/operate/run-look.ts";
import { invalidInput, messageOf } from "../../lib/system/errors.ts";
import { limitBounds } from "../flags/operate.ts";
import type { ScreenLine } from "../view/lines.ts";
import { type Throttling, throttlingText } from "../view/throttling.ts";

/** The flags that have a run throttled while it is watched. */
interface Input {
  watch: boolean;
  "auto-throttle": boolean;
  min: number | undefined;
  max: number | undefined;
}

/** How far a run is to be throttled; undefined where it is not. */
type Bounds = ReturnType<typeof limitBounds>;

/**
 * What the flags ask for. Throws invalid input where they contradict each other:
 *
 * | --watch | --auto-throttle | --min or --max | comes to |
 * |---|---|---|---|
 * | any | no | no | no throttling |
 * | any | no | yes | refused |
 * | no | yes | any | refused |
 * | yes | yes | any | throttling within the bounds |
 */
export function throttlingOf({ watch, min, max, ...input }: Input): Bounds | undefined {
  if (!input["auto-throttle"]) {
    if (min !== undefined) throw invalidInput("--min is for --auto-throttle");
    if (max !== undefined) throw invalidInput("--max is for --auto-throttle");
    return undefined;
  }
  if (!watch) {
    throw invalidInput("--auto-throttle is for --watch: without it, xfer throttle --auto does the same");
  }
  return limitBounds(min, max);
}

/** Throttles a run by itself while it is watched: once for each answer of Slurm, which the watching asks for. */
export class ThrottleWatch {
  readonly #look: RunLook;
  readonly #begun: Promise<void>;
  readonly #ended = new AbortController();
  #controller: AutoThrottle | undefined;
  #state: Throttling = { kind: "beginning" };
  /** The tick that is under way, and the answer of Slurm that the last one was made with. */
  #tick: Promise<void> = Promise.resolve();
  #isBusy = false;
  #answer = 0;
  #told: string | undefined;

  constructor(look: RunLook, { stop, ...bounds }: Bounds & { stop: AbortSignal }) {
    this.#look = look;
    const stops = AbortSignal.any([stop, this.#ended.signal]);
    // Whether a holder on another host lives takes half a minute to see: the run is shown meanwhile.
    this.#begun = this.#guarded(async () => {
      const taken = await autoThrottle({ ...bounds, runDir: look.runDir, now: new Date(), stop: stops });
      if (taken === undefined) return;
      if ("heldBy" in taken) {
        this.#state = { kind: "held", by: taken.heldBy };
        return;
      }
      this.#controller = taken;
      this.#state = { kind: "on", bounds: taken.bounds, change: undefined, problem: undefined };
    });
  }

  /** What it does, as a line of the screen. */
  get line(): ScreenLine {
    const isWell = this.#state.kind === "on" && this.#state.problem === undefined;
    return {
      ...{ label: "throttle", text: throttlingText(this.#state), weight: 8 },
      tone: isWell || this.#state.kind === "beginning" ? "plain" : "warn",
    };
  }

  /** What it does, where that is not told yet. */
  news(): string | undefined {
    const text = throttlingText(this.#state);
    if (this.#state.kind === "beginning" || text === this.#told) return undefined;
    this.#told = text;
    return text;
  }

  /** Begins a tick where Slurm has answered since the last one. */
  look(): void {
    const { answers, queue } = this.#look;
    const controller = this.#controller;
    if (!controller || !queue || this.#isBusy || answers === this.#answer) return;
    this.#answer = answers;
    this.#isBusy = true;
    this.#tick = this.#guarded(async () => {
      this.#take(await controller.tick(new Date(), queue));
      this.#isBusy = false;
    });
  }

  /** Ends it; the limit stays as it is. */
  async end(): Promise<void> {
    this.#ended.abort();
    await this.#begun;
    await this.#tick;
    this.#controller?.end();
  }

  #take(tick: ThrottleTick): void {
    const state = this.#state;
    if (state.kind !== "on") return;
    if (tick.kind === "lost" || tick.kind === "ended") {
      this.#state = { kind: tick.kind };
      this.#controller?.end();
      this.#controller = undefined;
      return;
    }
    const problem = tick.kind === "failed" ? tick.problem : undefined;
    const change =
      tick.kind === "changed"
        ? { limit: tick.limit, reason: tick.reason ?? "", at: new Date() }
        : state.change;
    this.#state = { ...state, change, problem };
  }

  /** What goes wrong with the throttling is told, and the run is watched all the same. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#state = { kind: "failed", problem: messageOf(error) };
      this.#controller?.end();
      this.#controller = undefined;
    }
  }
}
