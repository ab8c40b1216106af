import { expect, test } from "bun:test";
import { forEachEntryOf, listingsInOne } from "../../../lib/listing/places.ts";

async function* chunks(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

async function entriesOf(listings: number, text: string): Promise<[string, number][]> {
  const found: [string, number][] = [];
  await forEachEntryOf(listings, chunks(text), ({ Path }, listing) => found.push([Path, listing]));
  return found;
}

const entry = (path: string) => JSON.stringify({ Path: path, Size: 1 });

test("the words of each listing arrive as they are, whatever they hold, and nothing is run of them", () => {
  const words = ["a b", "$(echo x)", "'", '"', "`id`", "", "*", "\\", "-n", "é\t", "a\nb"];
  const argvs = [0, 1, 2].map((n) => ["printf", "<%s>", String(n), ...words]);
  const run = Bun.spawnSync(listingsInOne(argvs));
  const line = (n: number) => `<${n}>${words.map((word) => `<${word}>`).join("")}`;
  expect(run.stdout.toString()).toBe([0, 1, 2].map((n) => `${line(n)}exit 0\n`).join(""));
  expect(run.exitCode).toBe(0);
});

test("a directory that is not there does not end the others; any other failure does, with its code", () => {
  const sh = (code: number) => ["sh", "-c", `exit ${code}`];
  const run = Bun.spawnSync(listingsInOne([sh(0), sh(3), sh(0), sh(6), sh(0)]));
  expect(run.stdout.toString()).toBe("exit 0\nexit 3\nexit 0\nexit 6\n");
  expect(run.exitCode).toBe(6);
  expect(Bun.spawnSync(listingsInOne([sh(0), sh(3)])).exitCode).toBe(0);
});

test("entries are told by their listing, in any of the forms that a listing ends well", async () => {
  const text = `[\n${entry("a")},\n${entry("exit 1")}\n]\nexit 0\n[\n]\nexit 0\n[\nexit 3\nexit 3\n[\n${entry("b")}\n]\nexit 0\n`;
  expect(await entriesOf(5, text)).toEqual([
    ["a", 0],
    ["exit 1", 0],
    ["b", 4],
  ]);
});

test.each([
  ["cut off", 1, `[\n${entry("a")},\n`],
  ["no closing bracket, and well", 1, `[\n${entry("a")}\nexit 0\n`],
  ["not found after an entry", 1, `[\n${entry("a")}\nexit 3\n`],
  ["not found after a whole listing", 1, "[\n]\nexit 3\n"],
  ["failed", 1, "[\n]\nexit 6\n"],
  ["one too few", 2, "[\n]\nexit 0\n"],
  ["one too many", 1, "[\n]\nexit 0\n[\n]\nexit 0\n"],
  ["an entry outside", 1, `${entry("a")}\nexit 0\n`],
])("%s is no listing", async (_, listings, text) => {
  await expect(entriesOf(listings, text)).rejects.toThrow();
});
