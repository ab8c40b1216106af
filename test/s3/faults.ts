import type { Kind } from "./counts.ts";
import { noSuchKey, S3Error } from "./errors.ts";

/** What a rule may look at to decide whether a request is its own. */
export interface FaultTarget {
  kind: Kind;
  bucket: string;
  key: string;
  method: string;
}

/**
 * What happens to a request: an S3 error, a TCP reset (at once, or after so many bytes of the body went in or
 * out), no answer until the client leaves, or a delay after which the request goes on normally.
 */
export type FaultAction =
  | "slowdown"
  | "internal-error"
  | "too-many"
  | "forbidden"
  | "not-found"
  | "reset"
  | "stall"
  | { resetAfterBytes: number }
  | { delayMs: number };

/** Which requests fail and how; without kinds and match it is all of them. */
export interface FaultRule {
  kinds?: readonly Kind[];
  match?: (request: FaultTarget) => boolean;
  action: FaultAction;
  /** Chance per matching request, 0 to 1, drawn from a generator seeded with `seed`. */
  probability?: number;
  seed?: number;
  /** How often the rule acts before it is spent. */
  times?: number;
  /** The rule acts only on requests that arrive while so many of its own are being served. */
  beyond?: number;
}

/** What a request meets. */
export interface Fate {
  delayMs: number;
  action: Exclude<FaultAction, { delayMs: number }> | null;
  /** To be called when the request is over. */
  over: () => void;
}

interface ActiveRule extends FaultRule {
  left: number;
  serving: number;
  random: () => number;
}

/** The rules in force; the first that wants a request gets it, delays let later rules have it too. */
export class Faults {
  private readonly rules = new Set<ActiveRule>();

  add(rule: FaultRule): () => void {
    const left = rule.times ?? Number.POSITIVE_INFINITY;
    const active = { ...rule, left, serving: 0, random: seeded(rule.seed ?? 1) };
    this.rules.add(active);
    return () => {
      this.rules.delete(active);
    };
  }

  /** The delay and the fault for one request; consumes the `times` of the rules that act. */
  choose(request: FaultTarget): Fate {
    let delayMs = 0;
    const served: ActiveRule[] = [];
    const over = () => {
      for (const rule of served.splice(0)) rule.serving--;
    };
    for (const rule of this.rules) {
      if (rule.left <= 0) continue;
      if (rule.kinds !== undefined && !rule.kinds.includes(request.kind)) continue;
      if (rule.match !== undefined && !rule.match(request)) continue;
      if (rule.probability !== undefined && rule.random() >= rule.probability) continue;
      if (rule.beyond !== undefined && rule.serving < rule.beyond) {
        rule.serving++;
        served.push(rule);
        continue;
      }
      rule.left--;
      if (typeof rule.action === "string" || "resetAfterBytes" in rule.action) {
        return { delayMs, action: rule.action, over };
      }
      delayMs += rule.action.delayMs;
    }
    return { delayMs, action: null, over };
  }
}

/** The S3 error that an error action answers with, or null for the actions that answer nothing. */
export function faultError(action: FaultAction): S3Error | null {
  switch (action) {
    case "slowdown":
      return new S3Error("SlowDown", 503, "Please reduce your request rate.");
    case "internal-error":
      return new S3Error("InternalError", 500, "We encountered an internal error. Please try again.");
    case "too-many":
      return new S3Error("TooManyRequests", 429, "Too many requests.");
    case "forbidden":
      return new S3Error("AccessDenied", 403, "Access Denied");
    case "not-found":
      return noSuchKey();
    default:
      return null;
  }
}

/** Hashes of 0, 1, 2, ...: the same seed gives the same faults in every run. */
function seeded(seed: number): () => number {
  let drawn = 0;
  return () => Bun.hash.xxHash32(String(drawn++), seed) / 2 ** 32;
}
