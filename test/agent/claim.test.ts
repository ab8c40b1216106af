import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Claim, SignWatch } from "../../agent/claim.ts";
import { ownTable } from "../../lib/system/process-identity.ts";
import { limitMs } from "../setup/pace.ts";
import { temporaryDirectory } from "../stage/harness.ts";
import { takeClaims } from "./claim-taker.ts";

const never = new AbortController().signal;
const unanswered = () => undefined;

function holder(more: Record<string, unknown> = {}): string {
  return JSON.stringify({
    schema: "xfer.claim.v1",
    token: crypto.randomUUID(),
    ...ownTable(),
    pid_namespace: null,
    // No process has this pid: pid_max is at most 2^22.
    process: { pid: 2 ** 22 + 1, start: "1" },
    ...more,
  });
}

/** A claim of a process of this very kernel and namespace that has ended. */
async function deadHolder(dir: string): Promise<string> {
  const taken = await Claim.takeOr(join(dir, "probe"), unanswered, never);
  if (!taken || !("claim" in taken)) throw new Error("a free claim was not taken");
  const own = JSON.parse(readFileSync(join(dir, "probe"), "utf8"));
  taken.claim.settle();
  return holder({ pid_namespace: own.pid_namespace });
}

test(
  "of three takers of each of 60 claims whose holder is dead, or died while it took over, one gets it",
  async () => {
    using dir = temporaryDirectory();
    const rounds = 60;
    const dead = await deadHolder(dir.path);
    for (let round = 0; round < rounds; round++) {
      const at = join(dir.path, String(round));
      mkdirSync(at);
      writeFileSync(join(at, "claim"), dead);
      // Every second one is a chain: one that took over, and died too.
      const { token } = JSON.parse(dead);
      if (round % 2 === 1)
        writeFileSync(join(at, `claim.${token}`), dead.replace(token, crypto.randomUUID()));
    }
    const script = join(import.meta.dir, "claim-taker.ts");
    const startAt = Date.now() + 1_500;
    const takers = [1, 2].map(() =>
      Bun.spawn([process.execPath, script, dir.path, String(rounds), String(startAt)], { stderr: "pipe" }),
    );
    await takeClaims(dir.path, rounds, startAt);
    for (const taker of takers) {
      expect(await taker.stderr.text()).toBe("");
      expect(await taker.exited).toBe(0);
    }
    for (let round = 0; round < rounds; round++) {
      const at = join(dir.path, String(round));
      expect(readFileSync(join(at, "held"), "utf8").trimEnd().split("\n")).toHaveLength(1);
      expect(readdirSync(at).sort()).toEqual(["answer", "held"]);
    }
  },
  limitMs(60_000),
);

test("one that is let go is taken again; one whose holder lives is waited for until there is an answer", async () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "claim");
  const first = await Claim.takeOr(path, unanswered, never);
  if (!first || !("claim" in first)) throw new Error("a free claim was not taken");
  let waitedFor: string | undefined;
  const second = Claim.takeOr(
    path,
    (token) => {
      waitedFor = token;
      return undefined;
    },
    never,
  );
  let answer: string | undefined;
  const third = Claim.takeOr(path, () => answer, never);
  await Bun.sleep(600);
  expect(first.claim.isHeld()).toBe(true);
  expect(waitedFor).toBe(first.claim.token);
  first.claim.release();
  expect(first.claim.isHeld()).toBe(false);
  const taken = await second;
  if (!taken || !("claim" in taken)) throw new Error("a claim that was let go was not taken");
  expect(taken.claim.isHeld()).toBe(true);
  answer = "seen";
  expect(await third).toEqual({ answer: "seen" });
  taken.claim.settle();
  expect(readdirSync(dir.path)).toEqual([]);
});

test("a claim that was torn by a crash is followed once it is silent, not before", async () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "claim");
  writeFileSync(path, "");
  const stop = new AbortController();
  const taken = Claim.takeOr(path, unanswered, stop.signal);
  await Bun.sleep(500);
  stop.abort();
  expect(await taken).toBeUndefined();
  expect(readdirSync(dir.path)).toEqual(["claim"]);
});

test("silence is counted in time in which the waiter itself ran, and ends with any change", () => {
  const watch = new SignWatch();
  let now = 1_000_000;
  const looked = (sign: string, afterMs: number) => {
    now += afterMs;
    return watch.silentMs(sign, now);
  };
  expect(looked("a", 0)).toBe(0);
  expect(looked("a", 250)).toBe(250);
  expect(looked("a", 250)).toBe(500);
  // Stopped for an hour: it did not look meanwhile.
  expect(looked("a", 3_600_000)).toBe(1_500);
  expect(looked("a", -5_000)).toBe(1_500);
  expect(looked("b", 250)).toBe(0);
  expect(looked("b", 250)).toBe(250);
});
