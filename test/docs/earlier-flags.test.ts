import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { temporaryDirectory, xfer } from "../stage/harness.ts";

/** Every flag of the Python xfer, by command, with a value as its users write it. */
const earlierFlags: readonly [command: string, flags: string][] = [
  [
    "manifest build",
    "--source a:b --dest c:d --out m.jsonl --rclone-image i.sqsh --rclone-config r.conf --container-conf-path /r.conf " +
      "--recursive --no-recursive --fast-list --no-fast-list --no-modtime --extra-lsjson-flags --fast-list " +
      "--pyxis-extra --exclusive --run-id 20260101T000000Z_a1b2c3 -v -vv",
  ],
  ["manifest shard", "--in m.jsonl --outdir shards --num-shards 2 --strategy bytes"],
  [
    "manifest analyze",
    "--in m.jsonl --out a.json --base-flags --fast-list --assumed-cpus-per-task 4 --assumed-array-concurrency 64 " +
      "--assumed-core-budget 8 --max-shard-bytes-tb 10",
  ],
  ["manifest rebase", "--in m.jsonl --out n.jsonl --source-root a:b --dest-root c:d"],
  [
    "manifest combine",
    "--source a:b --dest c:d --parts-dir p --out m.jsonl --run-id 20260101T000000Z_a1b2c3",
  ],
  [
    "slurm render",
    "--run-dir run --num-shards 2 --array-concurrency 1 --job-name x --time-limit 1:00:00 --partition p " +
      "--cpus-per-task 1 --mem 1G --rclone-image i.sqsh --rclone-config r.conf --rclone-conf-in-container /r.conf " +
      "--rclone-flags --fast-list --source-root a:b --dest-root c:d --max-attempts 5 --sbatch-extras --exclusive " +
      "--pyxis-extra --exclusive --manifest m.jsonl",
  ],
  ["slurm submit", "--run-dir run"],
  [
    "run",
    "--run-dir run --source a:b --dest c:d --num-shards 2 --array-concurrency 1 --rclone-image i.sqsh " +
      "--rclone-config r.conf --container-conf-path /r.conf --extra-lsjson-flags --fast-list --rclone-flags --fast-list " +
      "--job-name x --time-limit 1:00:00 --partition p --cpus-per-task 1 --mem 1G --max-attempts 5 " +
      "--sbatch-extras --exclusive --submit --pyxis-extra --exclusive",
  ],
];

test.each([...earlierFlags])("xfer %s takes every flag of the Python xfer", async (command, flags) => {
  using dir = temporaryDirectory();
  const words = [...command.split(" "), ...flags.split(" "), "--qqqq"];
  const { code, stdout, stderr } = await xfer(words, { cwd: dir.path });
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toStartWith("xfer: unknown flag --qqqq");
  expect(readdirSync(dir.path)).toEqual([]);
});
