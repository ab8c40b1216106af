import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rclones } from "../setup/rclones.ts";
import { type Result, Stage, timeoutMs, xfer } from "../stage/harness.ts";

/** Keys below a root of which an object has the name, as has one of its folders. */
const below = ["x", "y/z", "n", "n/a", "n/a/b", "n/a/n/a"];

const withRclone = (stage: Stage, dir: string, ...args: string[]): Promise<Result> =>
  xfer(args, { cwd: stage.dir, env: { PATH: `${dir}:${process.env.PATH ?? ""}` } });

/** What the destination holds below the prefix, and with what in it. */
async function contents(stage: Stage, prefix: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const key of stage.dest.keys("copy").filter((one) => one.startsWith(prefix))) {
    found[key.slice(prefix.length)] = Buffer.from((await stage.dest.get("copy", key)) ?? []).toString();
  }
  return found;
}

const wanted = (keys: readonly string[]) => Object.fromEntries(keys.map((key) => [key, `body of ${key}`]));

test.each([
  ["in one listing", []],
  ["in parts", ["--list-parallel", "2"]],
  ["with a plan that compares", ["--rclone-flags=--checksum"]],
])(
  "roots whose names objects have too are copied as prefixes: %s",
  async (_, flags) => {
    for (const { name, dir } of await rclones()) {
      await using stage = await Stage.start();
      for (const key of below) stage.source.put("data", `pre/${key}`, `body of ${key}`);
      stage.source.put("data", "pre", "an object of the root's name");
      stage.dest.put("copy", "out", "an object of the root's name");
      const args = ["--source", "src:data/pre", "--dest", "dst:copy/out", "--num-shards", "2", ...flags];
      const run = await withRclone(stage, dir, ...stage.runArgs(...args));
      expect({ name, code: run.code, stderr: run.stderr }).toMatchObject({ name, code: 0 });
      expect(await contents(stage, "out/")).toEqual(wanted(below));
      expect(stage.dest.keys("copy")).toHaveLength(below.length + 1);

      const verify = await withRclone(
        stage,
        dir,
        "verify",
        "--run-dir",
        stage.runDir,
        "--download-sample",
        "3",
      );
      expect({ name, code: verify.code, stderr: verify.stderr }).toMatchObject({ name, code: 0 });
    }
  },
  timeoutMs,
);

test(
  "a destination root whose name an object has: what is there already is found, and no more than that",
  async () => {
    for (const { name, dir } of await rclones()) {
      await using stage = await Stage.start();
      const files = join(stage.dir, "files");
      mkdirSync(join(files, "n"), { recursive: true });
      mkdirSync(join(files, "y"));
      for (const key of ["x", "y/z", "n/n"]) writeFileSync(join(files, key), `body of ${key}`);
      stage.dest.put("copy", "out", "an object of the root's name");
      stage.dest.put("copy", "out/x", "body of x");
      // Listed without its slash, this prefix would be one object, and that would be taken for the record n/n.
      stage.dest.put("copy", "out/n", "body of n/n");
      stage.dest.put("copy", "out/n/m", "another");
      const args = ["--source", files, "--dest", "dst:copy/out", "--num-shards", "1"];
      const run = await withRclone(stage, dir, ...stage.runArgs(...args));
      expect({ name, code: run.code, stderr: run.stderr }).toMatchObject({ name, code: 0 });
      expect(await contents(stage, "out/")).toEqual({
        ...wanted(["x", "y/z", "n/n"]),
        n: "body of n/n",
        "n/m": "another",
      });
    }
  },
  timeoutMs,
);
