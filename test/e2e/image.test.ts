import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { hostileManifest } from "../data/hostile-names.ts";
import { saidIn, temporaryDirectory, timeoutMs, xfer } from "../stage/harness.ts";

/** [the image as given, the runtime, what every task is told; a leading @ stands for the current directory] */
const rows: [string, string, string][] = [
  ["rclone.sqsh", "pyxis", "@/rclone.sqsh"],
  ["images/rclone.squashfs", "pyxis", "@/images/rclone.squashfs"],
  ["./rclone", "pyxis", "@/rclone"],
  ["../rclone.sqsh", "pyxis", "@/../rclone.sqsh"],
  ["a b.sqsh", "pyxis", "@/a b.sqsh"],
  ["/shared/rclone.sqsh", "pyxis", "/shared/rclone.sqsh"],
  ["rclone/rclone:1.68", "pyxis", "rclone/rclone:1.68"],
  ["ghcr.io#org/rclone", "pyxis", "ghcr.io#org/rclone"],
  ["docker://host/rclone.sif", "pyxis", "docker://host/rclone.sif"],
  ["rclone.sif", "apptainer", "@/rclone.sif"],
  ["sandbox", "apptainer", "@/sandbox"],
  ["oras://host/rclone.sif", "apptainer", "oras://host/rclone.sif"],
];

test(
  "render keeps an image that is a local file as an absolute path, and any other as it was given",
  async () => {
    using dir = temporaryDirectory();
    mkdirSync(join(dir.path, "run"));
    copyFileSync(hostileManifest, join(dir.path, "run", "manifest.jsonl"));
    for (const [image, runtime, told] of rows) {
      const result = await xfer(
        [
          ...["slurm", "render", "--run-dir", "run", "--num-shards", "2", "--agent-path", "/x", "--json"],
          ...["--runtime", runtime, "--rclone-image", image],
        ],
        { cwd: dir.path },
      );
      expect(saidIn(result.stderr)).toBe("");
      const expected = told.startsWith("@") ? join(dir.path, told.slice(1)) : told;
      expect(JSON.parse(result.stdout)).toMatchObject({ rclone_image: expected });
    }
  },
  timeoutMs,
);

test(
  "build and run list in the image of the current directory",
  async () => {
    using dir = temporaryDirectory();
    const words = join(dir.path, "words");
    writeFileSync(join(dir.path, "rclone.sqsh"), "image");
    mkdirSync(join(dir.path, "bin"));
    const srun = join(dir.path, "bin", "srun");
    writeFileSync(srun, '#!/bin/sh\nprintf "%s\\n" "$@" >> "$WORDS"\nexit 1\n');
    chmodSync(srun, 0o755);
    const env = { PATH: `${join(dir.path, "bin")}:${process.env.PATH ?? ""}`, WORDS: words };
    const roots = ["--source", "a:b", "--dest", "c:d", "--rclone-image", "rclone.sqsh"];
    for (const args of [
      ["manifest", "build", "--out", "m.jsonl"],
      ["run", "--run-dir", "r"],
    ]) {
      expect((await xfer([...args, ...roots], { cwd: dir.path, env })).code).toBe(1);
    }
    const images = readFileSync(words, "utf8")
      .split("\n")
      .filter((word) => word.startsWith("--container-image"));
    expect(images).toEqual(Array(2).fill(`--container-image=${join(dir.path, "rclone.sqsh")}`));
    expect(readdirSync(dir.path)).not.toContain("m.jsonl");
  },
  timeoutMs,
);

describe("submit looks at the image once, before sbatch", () => {
  /** A rendered run and an sbatch that notes that it was called. */
  async function scene(image: string, runtime = "pyxis") {
    const dir = temporaryDirectory();
    mkdirSync(join(dir.path, "run"));
    mkdirSync(join(dir.path, "bin"));
    copyFileSync(hostileManifest, join(dir.path, "run", "manifest.jsonl"));
    const sbatch = join(dir.path, "bin", "sbatch");
    writeFileSync(sbatch, '#!/bin/sh\ntouch "$CALLED"\necho 42\n');
    chmodSync(sbatch, 0o755);
    const called = join(dir.path, "called");
    const env = { PATH: `${join(dir.path, "bin")}:/usr/bin:/bin`, CALLED: called };
    const run = async (...args: string[]) => {
      const result = await xfer(args, { cwd: dir.path, env });
      return { ...result, called: existsSync(called) };
    };
    for (const args of [
      ["manifest", "shard", "--in", "run/manifest.jsonl", "--outdir", "run/shards", "--num-shards", "2"],
      [
        ...["slurm", "render", "--run-dir", "run", "--agent-path", "/x"],
        ...["--runtime", runtime, "--rclone-image", image],
      ],
    ]) {
      const result = await run(...args);
      if (result.code !== 0) throw new Error(result.stderr);
    }
    const submit = (...more: string[]) => run("slurm", "submit", "--run-dir", "run", ...more);
    return { dir: dir.path, submit, [Symbol.dispose]: () => dir[Symbol.dispose]() };
  }

  for (const runtime of ["pyxis", "apptainer"]) {
    test(
      `${runtime}: an image that is not there: exit code 1, one line, nothing submitted; --no-image-check submits`,
      async () => {
        using at = await scene("none.sqsh", runtime);
        const refused = await at.submit();
        expect(refused).toMatchObject({ code: 1, stdout: "", called: false });
        expect(refused.stderr).toBe(
          `xfer: ${join(at.dir, "none.sqsh")}: no such image here, nothing was submitted: put it there, or render the run ` +
            "again with another --rclone-image; if only the compute nodes see it, submit with --no-image-check\n",
        );
        expect(existsSync(join(at.dir, "run", "submissions.jsonl"))).toBe(false);
        const forced = await at.submit("--no-image-check");
        expect(forced).toMatchObject({ code: 0, stdout: "42\n", stderr: "", called: true });
      },
      timeoutMs,
    );
  }

  test(
    "an image that is there: no word about it",
    async () => {
      using at = await scene("there.sqsh");
      writeFileSync(join(at.dir, "there.sqsh"), "image");
      expect(await at.submit()).toMatchObject({ code: 0, stdout: "42\n", stderr: "", called: true });
    },
    timeoutMs,
  );

  for (const [runtime, image, remedy] of [
    ["pyxis", "rclone/rclone:1.68", "enroot import -o /shared/rclone.sqsh docker://rclone/rclone:1.68"],
    ["apptainer", "oras://h/r", "apptainer pull /shared/rclone.sif oras://h/r"],
  ] as const) {
    test(
      `${runtime}: an image of a registry: a warning of one line with the remedy, and it is submitted`,
      async () => {
        using at = await scene(image, runtime);
        const result = await at.submit();
        expect(result).toMatchObject({ code: 0, stdout: "42\n", called: true });
        expect(result.stderr.trimEnd().split("\n")).toHaveLength(1);
        expect(result.stderr).toContain(`warning: every task would pull ${image} from its registry: `);
        expect(result.stderr).toContain(remedy);
      },
      timeoutMs,
    );
  }
});
