import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory, timeoutMs, xfer } from "../stage/harness.ts";

const roots = ["--source", "in", "--dest", "out"];
const host = ["--runtime", "host"];
const rates = ["--min-rate", "1Gbps", "--max-rate", "2Gbps"];

/** [what it prints as text, what as JSON, the command]; NAME stands for another output in each of the two. */
const commands: [RegExp, Record<string, unknown>, string[]][] = [
  [/^b-NAME: 3 objects, 6 B\n$/, build(), ["manifest", "build", ...host, ...roots, "--out", "b-NAME"]],
  [
    /^i-NAME: 3 objects, 6 B\n$/,
    build(),
    ["manifest", "import", "--in", "list.csv", "--format", "lsf", ...roots, "--out", "i-NAME"],
  ],
  [
    /^c-NAME: 3 objects, 6 B\n$/,
    build(),
    ["manifest", "combine", "--parts-dir", "parts", ...roots, "--out", "c-NAME"],
  ],
  [
    /^r-NAME: 3 objects\n$/,
    { schema: "xfer.rebase.v1", objects: 3 },
    ["manifest", "rebase", "--in", "b-text", "--out", "r-NAME", "--dest-root", "/elsewhere"],
  ],
  [
    /^s-NAME: 2 shards of 3 objects, 6 B\n$/,
    { schema: "xfer.shards.v1", objects: 3, bytes: 6, num_shards: 2 },
    ["manifest", "shard", "--in", "b-text", "--outdir", "s-NAME", "--num-shards", "2"],
  ],
  [
    /^3 objects, 6 B\n[\s\S]*\nshards {3}1\n/,
    { schema: "xfer.analysis.v1", objects: 3, bytes: 6, num_shards: 1 },
    ["manifest", "analyze", "--in", "b-text"],
  ],
  [
    /^3 objects, 6 B\n[\s\S]* for 1 shard,\n/,
    { schema: "xfer.estimate.v1", objects: 3, bytes: 6, num_shards: 1 },
    ["manifest", "estimate", "--in", "b-text", ...rates],
  ],
  [
    /^d-NAME: 3 new, 0 changed, 0 same, 0 extra; 6 B to copy\n$/,
    { schema: "xfer.delta.v1", objects: 3, bytes: 6 },
    ["manifest", "delta", "--in", "b-text", "--out", "d-NAME", ...host],
  ],
  [
    /^run-NAME: ready; submit with: xfer slurm submit --run-dir run-NAME\n$/,
    { schema: "xfer.run.v1", run_dir: "run-NAME", job_id: null },
    ["run", ...host, ...roots, "--run-dir", "run-NAME", "--num-shards", "2"],
  ],
  [
    /^run-NAME: rendered for 2 shards; submit with: xfer slurm submit --run-dir run-NAME\n$/,
    { schema: "xfer.runconfig.v1", run_dir: "run-NAME", num_shards: 2 },
    ["slurm", "render", ...host, "--run-dir", "run-NAME"],
  ],
  [
    /^listed {19}3 objects {10}6 B\n(?:[\s\S]*\n)?run directory: run-NAME\nverified: 3 by size /,
    {
      ...{ schema: "xfer.account.v1", run_dir: "run-NAME", listed: { objects: 3, bytes: 6 } },
      ...{ failed: { objects: 0 }, causes: [], verified: true },
    },
    ["run", "--executor", "local", "--run-dir", "run-NAME"],
  ],
  [
    /^listed {19}3 objects {10}6 B\nhash-proven/,
    { schema: "xfer.verify.v1", run_dir: "run-NAME", listed: { objects: 3, bytes: 6 }, verified: true },
    ["verify", "--run-dir", "run-NAME"],
  ],
];

function build() {
  const untransferable = { objects: 0, bytes: 0 };
  return { schema: "xfer.build.v1", objects: 3, bytes: 6, untransferable };
}

test(
  "every command that reports prints text, piped too, and with --json one line under the same names",
  async () => {
    using dir = temporaryDirectory();
    mkdirSync(join(dir.path, "in"));
    mkdirSync(join(dir.path, "parts"));
    for (const name of ["a", "bb", "ccc"]) writeFileSync(join(dir.path, "in", name), name);
    const listed = ["a", "bb", "ccc"].map((name) => ({
      ...{ Path: name, Name: name, Size: name.length, IsDir: false, ModTime: "2026-11-25T08:15:00Z" },
    }));
    writeFileSync(join(dir.path, "parts", "lsjson-0.json"), JSON.stringify(listed));
    writeFileSync(join(dir.path, "parts", "lsjson-0.prefix"), "");
    writeFileSync(
      join(dir.path, "list.csv"),
      listed.map(({ Path, Size }) => `${Path},${Size},2026-11-25 08:15:00\n`).join(""),
    );
    for (const [text, json, words] of commands) {
      const run = (name: string, ...more: string[]) =>
        xfer([...words.map((word) => word.replace("NAME", name)), ...more], { cwd: dir.path });
      const said = words.slice(0, 2).join(" ");
      const asText = await run("text");
      expect(asText.code, `${said}: ${asText.stderr}`).toBe(0);
      expect(asText.stdout, said).toMatch(new RegExp(text.source.replaceAll("NAME", "text")));
      const asJson = await run("json", "--json");
      expect(asJson.code, `${said}: ${asJson.stderr}`).toBe(0);
      expect(asJson.stdout.indexOf("\n"), said).toBe(asJson.stdout.length - 1);
      const expected = JSON.parse(JSON.stringify(json).replaceAll("NAME", "json"));
      expect(JSON.parse(asJson.stdout), said).toMatchObject(expected);
    }
    const both = [
      "manifest",
      "rebase",
      "--in",
      "b-text",
      "--out",
      "-",
      "--dest-root",
      "/elsewhere",
      "--json",
    ];
    expect(await xfer(both, { cwd: dir.path })).toEqual({
      code: 2,
      stdout: "",
      stderr: "xfer: --json: the manifest is on standard output: give --out a file\n",
    });
  },
  timeoutMs,
);
