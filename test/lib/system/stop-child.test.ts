import { expect, test } from "bun:test";
import { type Child, readText, startChild } from "../../../lib/system/process.ts";
import { stopWith } from "../../../lib/system/stop-child.ts";
import { limitMs } from "../../setup/pace.ts";

/** Starts a shell that says when it is ready and what TERM makes it do, and waits for a child of its own. */
async function shell(onTerm: string): Promise<{ child: Child; rest: Promise<string> }> {
  const child = startChild(["sh", "-c", `trap '${onTerm}' TERM; echo ready; while :; do sleep 0.05; done`]);
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  const rest = readText(
    (async function* () {
      for await (const chunk of child.stdout) {
        yield chunk;
        resolve();
      }
    })(),
  );
  await ready;
  return { child, rest };
}

test.each([
  { what: "ends by itself on TERM", onTerm: "exit 7", graceMs: 60_000, exit: { code: 7, signal: null } },
  { what: "ignores TERM and is killed after the grace", onTerm: "", graceMs: 300, exit: { code: 137 } },
])(
  "a child that $what",
  async ({ onTerm, graceMs, exit }) => {
    const { child } = await shell(onTerm);
    const stop = new AbortController();
    using _ = stopWith(child, stop.signal, () => ({ graceMs }));
    stop.abort("SIGTERM");
    expect(await child.exited).toMatchObject(exit);
  },
  limitMs(30_000),
);

test("a signal that was aborted before stops the child at once, with its reason", async () => {
  const { child } = await shell("exit 7");
  const stop = new AbortController();
  stop.abort("SIGINT");
  const reasons: unknown[] = [];
  using _ = stopWith(child, stop.signal, (reason) => {
    reasons.push(reason);
    return { graceMs: 60_000 };
  });
  expect((await child.exited).code).toBe(7);
  expect(reasons).toEqual(["SIGINT"]);
});

test("however often it is told to stop, the child is asked once", async () => {
  const { child, rest } = await shell("echo asked; sleep 0.3; exit 0");
  const stop = new AbortController();
  using stopping = stopWith(child, stop.signal, () => ({ graceMs: 60_000 }));
  stopping.stop();
  stop.abort("SIGTERM");
  stopping.stop();
  await child.exited;
  expect(await rest).toBe("ready\nasked\n");
});

test("once it is disposed of, neither the signal nor the end of the grace touches the child", async () => {
  const signals: string[] = [];
  const child = { signalGroup: (signal: string) => void signals.push(signal) };
  const [before, during] = [new AbortController(), new AbortController()];
  {
    using _before = stopWith(child, before.signal, () => ({ graceMs: 1 }));
    using _during = stopWith(child, during.signal, () => ({ graceMs: 50 }));
    during.abort("SIGTERM");
  }
  before.abort("SIGTERM");
  // A grace that begins later ends later.
  const later = new AbortController();
  using _ = stopWith({ signalGroup: (signal) => void signals.push(`later ${signal}`) }, later.signal, () => ({
    graceMs: 400,
  }));
  later.abort("SIGTERM");
  while (!signals.includes("later SIGKILL")) await Bun.sleep(20);
  expect(signals).toEqual(["SIGTERM", "later SIGTERM", "later SIGKILL"]);
});
