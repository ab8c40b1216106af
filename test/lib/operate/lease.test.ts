import { expect, test } from "bun:test";
import { readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Lease } from "../../../lib/operate/lease.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

const now = new Date("2026-11-25T08:00:00Z");
const stop = new AbortController().signal;
const take = (root: string, silenceMs = 1) => Lease.take(root, { now, stop, silenceMs });

async function taken(root: string): Promise<Lease> {
  const lease = await take(root);
  if (!(lease instanceof Lease)) throw new Error(`the lease is not taken: ${JSON.stringify(lease)}`);
  return lease;
}

/** Makes the last lease of a chain that of another process. */
function changeHolder(path: string, change: object): void {
  const holder = JSON.parse(readFileSync(path, "utf8"));
  writeFileSync(path, JSON.stringify({ ...holder, ...change }));
}

test("one holds it; another is told who, until it is given back", async () => {
  using dir = temporaryDirectory();
  const root = join(dir.path, "throttle.lease");
  const lease = await taken(root);
  expect(lease.isHeld()).toBe(true);
  expect(await take(root)).toMatchObject({
    heldBy: { process: { pid: process.pid }, taken_at: now.toISOString() },
  });
  lease.release();
  expect(readdirSync(dir.path)).toEqual([]);
  const next = await taken(root);
  expect([lease.isHeld(), next.isHeld()]).toEqual([false, true]);
  next.release();
});

test.each<[string, (root: string) => void]>([
  ["whose process has ended", (root) => changeHolder(root, { process: { pid: 1, start: "another" } })],
  ["that is not renewed, on another machine", (root) => changeHolder(root, { host: "far", boot: "far" })],
  ["that is torn", (root) => writeFileSync(root, '{"schema":"xfer.le')],
  ["that is empty", (root) => writeFileSync(root, "")],
])("a lease %s is followed by one of many, and the old holder has lost it", async (_, breaks) => {
  using dir = temporaryDirectory();
  const root = join(dir.path, "throttle.lease");
  const old = await taken(root);
  breaks(root);
  const found = await Promise.all(Array.from({ length: 8 }, () => take(root)));
  const leases = found.filter((one) => one instanceof Lease);
  expect(leases).toHaveLength(1);
  expect(found.filter((one) => one !== undefined && "heldBy" in one)).toHaveLength(7);
  expect([old.isHeld(), leases[0]?.isHeld()]).toEqual([false, true]);
  old.release();
  expect(leases[0]?.isHeld()).toBe(true);
  leases[0]?.release();
  expect(readdirSync(dir.path)).toEqual([]);
});

test("a holder on another machine that renews it is alive", async () => {
  using dir = temporaryDirectory();
  const root = join(dir.path, "throttle.lease");
  const lease = await taken(root);
  changeHolder(root, { host: "far", boot: "far" });
  const other = take(root, 60_000);
  const renewal = setInterval(() => utimesSync(root, new Date(), new Date()), 100);
  expect(await other).toMatchObject({ heldBy: { host: "far" } });
  clearInterval(renewal);
  lease.release();
});

test("who is stopped while he waits gets nothing, and leaves nothing", async () => {
  using dir = temporaryDirectory();
  const root = join(dir.path, "throttle.lease");
  await taken(root);
  changeHolder(root, { host: "far", boot: "far" });
  const stopping = new AbortController();
  const waiting = Lease.take(root, { now, stop: stopping.signal, silenceMs: 60_000 });
  stopping.abort("SIGINT");
  expect(await waiting).toBeUndefined();
  expect(readdirSync(dir.path)).toEqual(["throttle.lease"]);
});
