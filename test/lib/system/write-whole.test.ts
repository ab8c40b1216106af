import { expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AtomicFile, writeFileDurable, writeWhole } from "../../../lib/system/durable.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

test("a file is under its name only when all of it was written, and gives back what its writer made", async () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "new", "file");
  let during: string[] = [];
  const made = await writeWhole(path, async (file) => {
    file.writeText("one\n");
    during = readdirSync(join(dir.path, "new"));
    file.write(Buffer.from("two\n"));
    return 2;
  });
  expect(made).toBe(2);
  expect(during).toEqual([`file.tmp.${process.pid}`]);
  expect(readFileSync(path, "utf8")).toBe("one\ntwo\n");
  expect(readdirSync(join(dir.path, "new"))).toEqual(["file"]);
});

test.each(["by name", "opened already"])(
  "a writer that throws, %s, leaves the old file and no other",
  async (how) => {
    using dir = temporaryDirectory();
    const path = join(dir.path, "file");
    writeFileSync(path, "old");
    const failed = writeWhole(how === "by name" ? path : new AtomicFile(path), (file) => {
      file.writeText("new");
      throw new Error("no more");
    });
    await expect(failed).rejects.toThrow("no more");
    expect(readdirSync(dir.path)).toEqual(["file"]);
    expect(readFileSync(path, "utf8")).toBe("old");
  },
);

test("text of any length and bytes arrive as they are", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "file");
  const text = "é\u{1f600}\n".repeat(100_000);
  writeFileDurable(path, text);
  expect(readFileSync(path, "utf8")).toBe(text);
  writeFileDurable(path, new Uint8Array([0, 255, 10]));
  expect([...readFileSync(path)]).toEqual([0, 255, 10]);
});
