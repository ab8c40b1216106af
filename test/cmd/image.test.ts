import { expect, test } from "bun:test";
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hostileManifest } from "../data/hostile-names.ts";
import { temporaryDirectory, timeoutMs, xfer } from "../e2e/harness.ts";

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
      expect(result.stderr).toBe("");
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
