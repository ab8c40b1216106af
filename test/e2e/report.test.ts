import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { escapeHtml } from "../../cmd/view/report/escape.ts";
import { codeText } from "../../cmd/view/report/markdown.ts";
import { forEachCsvRow } from "../../lib/system/csv.ts";
import { measure } from "../bench/measure.ts";
import { makeRun } from "../lib/operate/report/made-run.ts";
import { binary, Stage, saidIn, temporaryDirectory, timeoutMs, xfer } from "../stage/harness.ts";

async function rowsOf(text: string): Promise<string[][]> {
  const rows: string[][] = [];
  const chunks = (async function* () {
    yield Buffer.from(text);
  })();
  await forEachCsvRow(chunks, "csv", (fields) => rows.push(fields));
  return rows;
}

/** The objects that a report names, in each format, by a reader of that format. */
const readers: Record<string, (text: string, failed: readonly string[]) => Promise<string[]>> = {
  json: async (text) => JSON.parse(text).objects.map(({ path }: { path: string }) => path),
  csv: async (text) => (await rowsOf(text)).slice(1).map(([path = ""]) => path),
  md: async (text, failed) => {
    const section = text.split("\n## Objects that are not proven\n\n")[1]?.split("\n\n## ")[0] ?? "";
    const lines = section.split("\n").filter((line) => line !== "");
    return lines.map((line) => failed.find((key) => line.startsWith(`- ${codeText(key)} (`)) ?? line);
  },
  html: async (text, failed) => {
    const cells = [...text.matchAll(/<td class="key"><bdi>(.*?)<\/bdi><\/td>/g)].map(([, cell = ""]) => cell);
    return cells.map((cell) => failed.find((key) => escapeHtml(key) === cell) ?? cell);
  },
};

test(
  "a run with failures: every format names each object that failed once, and a mended run none",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(60);
    stage.source.put("data", "cannot//be carried", "x");
    const evil = "</script><img src=x onerror=alert(1)>";
    stage.source.put("data", evil, "x");
    // Of a control character rclone's listing has another form.
    const plain = keys.filter((key) => !/[\u0000-\u001f\u2400-\u2426]/.test(key));
    const refused = [evil, ...plain.filter((_, i) => i % 9 === 1)];
    const vanished = plain.filter((_, i) => i % 9 === 5);
    const failed = [...refused, ...vanished, "cannot//be carried"];
    const mendDest = stage.dest.inject({
      ...{ kinds: ["PUT"], action: "forbidden", match: ({ key }) => refused.includes(key) },
    });
    const mendSource = stage.source.inject({
      ...{ kinds: ["GET"], action: "not-found", match: ({ key }) => vanished.includes(key) },
    });
    expect((await stage.xfer(...stage.runArgs("--num-shards", "3"))).code).toBe(1);
    const report = ["report", "--run-dir", stage.runDir];
    for (const [format, read] of Object.entries(readers)) {
      const out = join(stage.dir, `report.${format}`);
      const made = await stage.xfer(...report, "--format", format, "--out", out);
      expect([made.code, made.stdout, saidIn(made.stderr)]).toEqual([0, "", ""]);
      const found = await read(readFileSync(out, "utf8"), failed);
      expect(found.toSorted(), format).toEqual(failed.toSorted());
    }
    const json = JSON.parse((await stage.xfer(...report, "--format", "json")).stdout);
    expect(json).toMatchObject({
      ...{ verdict: "not-proven", proof: { verification: null, not_proven: failed.length } },
      ...{ listed: { objects: keys.length + 2 }, untransferable: { objects: 1 } },
      asked: { source_root: "src:data", dest_root: "dst:copy" },
    });
    const classes = (of: readonly string[]) =>
      new Set(
        json.objects.flatMap((one: { path: string; class: string }) =>
          of.includes(one.path) ? [one.class] : [],
        ),
      );
    expect([[...classes(refused)], [...classes(vanished)]]).toEqual([["auth"], ["missing"]]);

    mendDest();
    mendSource();
    const again = await stage.xfer(...stage.runArgs("--allow-untransferable"));
    expect(again.code, again.stderr).toBe(0);
    const page = (await stage.xfer(...report)).stdout;
    expect(page).toContain("1 of 62 objects cannot be carried; all others are proven.");
    const after = JSON.parse((await stage.xfer(...report, "--format", "json")).stdout);
    expect(after.objects.map(({ path }: { path: string }) => path)).toEqual(["cannot//be carried"]);
    expect(after.proof).toMatchObject({ hash_proven: 61, size_only: 0, by_rclone: 0, not_proven: 1 });
    expect(after.versions.rclone.verified).toMatch(/^1\./);
    expect(after.throughput.points.length).toBeGreaterThan(0);
  },
  timeoutMs,
);

test(
  "what is no run directory, and a file that cannot be written, are refused, and nothing is written",
  async () => {
    using dir = temporaryDirectory();
    const none = await xfer(["report", "--run-dir", "none", "--out", "r.md"], { cwd: dir.path });
    expect(none).toEqual({
      ...{ code: 2, stdout: "" },
      stderr: "xfer: --run-dir: none: no such folder: not a run directory (see xfer run --help)\n",
    });
    expect(existsSync(join(dir.path, "r.md"))).toBe(false);
    makeRun(join(dir.path, "run"), [{ keys: ["a"], end: "done" }]);
    mkdirSync(join(dir.path, "folder"));
    writeFileSync(join(dir.path, "file"), "");
    for (const out of ["folder", "file/r.md"]) {
      const refused = await xfer(["report", "--run-dir", "run", "--out", out], { cwd: dir.path });
      expect([refused.code, refused.stdout]).toEqual([2, ""]);
      expect(refused.stderr).toStartWith("xfer: --out: ");
    }
  },
  timeoutMs,
);

test(
  "a million objects that are not proven are named in less than 200 MB",
  async () => {
    using dir = temporaryDirectory();
    const keys = (shard: number) => Array.from({ length: 10_000 }, (_, i) => `set/${shard}/object-${i}.dat`);
    makeRun(
      join(dir.path, "run"),
      Array.from({ length: 100 }, (_, shard) => ({ keys: keys(shard), end: "running" as const })),
    );
    const report = await measure([binary, "report", "--run-dir", "run", "--format", "csv"], dir.path);
    expect(report.code).toBe(0);
    expect(report.stdout.split("\r\n")).toHaveLength(1_000_002);
    expect(report.peakBytes).toBeGreaterThan(20e6);
    expect(report.peakBytes).toBeLessThan(200e6);
  },
  timeoutMs,
);
