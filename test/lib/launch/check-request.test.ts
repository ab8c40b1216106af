import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkRequest } from "../../../lib/launch/check-request.ts";
import type { RenderOptions } from "../../../lib/launch/request.ts";
import { temporaryDirectory } from "../../stage/harness.ts";
import { standIns } from "../slurm/stand-ins.ts";
import { requestOf, slurm } from "./request-of.ts";

type Change = (request: RenderOptions, dir: string) => RenderOptions;

/** Checks a request that was changed so; gives the warnings, or the error. */
async function checked(change: Change, roots: { source?: string; dest?: string } = {}) {
  using dir = temporaryDirectory("xfer-check ");
  const request = change(requestOf(dir.path), dir.path);
  const before = readdirSync(dir.path, { recursive: true });
  const found = await checkRequest(request, { source: roots.source, dest: roots.dest }).catch(
    (error: unknown) => error,
  );
  // Whatever is found, nothing is written.
  expect(readdirSync(dir.path, { recursive: true })).toEqual(before);
  return found;
}

const extras =
  (...sbatchExtras: string[]): Change =>
  (r) => ({ ...r, slurm: { ...slurm, sbatchExtras } });
const inContainer: Change = (r) => ({ ...r, rclone: { ...r.rclone, runtime: "apptainer", image: "/i.sif" } });

test("a sound request is let pass without a word", async () => {
  expect(await checked((r) => r)).toEqual([]);
  expect(await checked((r) => r, { source: "src:b/set", dest: "/out" })).toEqual([]);
  expect(await checked(inContainer, { source: "/in", dest: "/out" })).toEqual([]);
  const bucket: Change = (r) => ({ ...r, createBucket: true });
  for (const dest of ["dst:b", "/out"]) expect(await checked(bucket, { dest })).toEqual([]);
  expect(await checked(extras("--account=abc", "--comment", "#1 \u{1f600}"))).toEqual([]);
});

test.each<[string, Change, string]>([
  ["--export, which submitting overrides", extras("--export=ALL"), "--sbatch-extras: --export does nothing"],
  ["--export with a word of its own", extras("--export", "ALL"), "--sbatch-extras: --export does nothing"],
])("it is warned of %s", async (_, change, warning) => {
  expect(await checked(change)).toEqual([expect.stringContaining(warning)]);
});

test("an option that only begins as --export does is none", async () => {
  expect(await checked(extras("--export-file=/x"))).toEqual([]);
});

const line =
  (word: Partial<RenderOptions["slurm"]>): Change =>
  (r) => ({ ...r, slurm: { ...slurm, ...word } });

test.each<[string, Change, { source?: string; dest?: string }, string]>([
  [
    "a flag that the account cannot stand",
    (r) => ({ ...r, rcloneFlags: ["--files-from", "x"] }),
    {},
    "--files-from",
  ],
  [
    "a container without an image",
    (r) => ({ ...r, rclone: { ...r.rclone, runtime: "pyxis" } }),
    {},
    "--rclone-image is needed with --runtime pyxis",
  ],
  ["a source that a container cannot mount", inContainer, { source: "/a:b" }, "/a:b"],
  ["a destination that a container cannot mount", inContainer, { dest: "/a,b:c" }, "/a,b:c"],
  [
    "a bucket that a destination does not name",
    (r) => ({ ...r, createBucket: true }),
    { dest: "dst:" },
    "--create-bucket: dst: names no bucket: write dst:BUCKET",
  ],
  ["a job name of two lines", line({ jobName: "a\nb" }), {}, 'sbatch option: "a\\nb"'],
  ["a partition with a control character", line({ partition: "\u0007" }), {}, "control character"],
  ["a time limit with a line separator", line({ timeLimit: "1\u2028" }), {}, "control character"],
  ["an amount of memory with a NUL", line({ mem: "1\0" }), {}, "control character"],
  ["an sbatch option of two lines", extras("--comment=a\nrm -rf ~"), {}, "control character"],
  [
    "an agent's path of two lines",
    (r) => ({ ...r, agent: { path: "/x\ry" } }),
    {},
    "--agent-path: has a line break",
  ],
  [
    "a run directory that is a file",
    (r, dir) => {
      writeFileSync(join(dir, "file"), "");
      return { ...r, runDir: join(dir, "file") };
    },
    {},
    "/file is no directory",
  ],
  [
    "a run directory below a file",
    (r, dir) => {
      mkdirSync(join(dir, "a"));
      writeFileSync(join(dir, "a", "file"), "");
      return { ...r, runDir: join(dir, "a", "file", "b", "run") };
    },
    {},
    "--run-dir: ",
  ],
])("%s is refused", async (_, change, roots, problem) => {
  expect(await checked(change, roots)).toMatchObject({
    exitCode: 2,
    message: expect.stringContaining(problem),
  });
});

test("an option that no release of Slurm has may be a plugin's: this host's sbatch is asked", async () => {
  using dir = temporaryDirectory("xfer-plugins-");
  const change = extras("--site-thing=1");
  {
    using _ = standIns(dir.path, { sbatch: "echo '      --site-thing=N   of this site'" });
    expect(await checked(change)).toEqual([]);
    expect(await checked(extras("--other-thing"))).toMatchObject({
      exitCode: 2,
      message: "--sbatch-extras: sbatch has no option --other-thing",
    });
  }
  using other = temporaryDirectory("xfer-plugins-");
  using broken = standIns(other.path, { sbatch: "echo '      --site-thing=N'; exit 1" });
  expect(await checked(change)).toMatchObject({
    message: expect.stringContaining("if a plugin of your site has it, render where sbatch is"),
  });
  expect(broken.calls()).toEqual([["sbatch", "--help"]]);
  // No sbatch is asked about options that every Slurm has.
  await checked(extras("--account=abc"));
  expect(broken.calls()).toHaveLength(1);
});
