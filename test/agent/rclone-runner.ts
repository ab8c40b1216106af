import { runRclone } from "../../agent/rclone-run.ts";
import { ShardLog } from "../../agent/shard-log.ts";

/**
 * Runs rclone once as an agent does, with limits of silence that a test can wait for. Prints rclone's pid, that
 * bytes move, and what came of it.
 */
const [log = "", ...argv] = process.argv.slice(2);
let moves = false;
const { exit, hang } = await runRclone({
  argv,
  env: { PATH: process.env.PATH ?? "" },
  log: new ShardLog(log),
  logsDebug: false,
  stop: new AbortController().signal,
  silence: { unheardMs: 3_000, silentMs: 1_500, idleMs: 1_500, stuckMs: 1_500 },
  tickMs: 100,
  onStart: ({ pid }) => console.log(pid),
  onProven: () => undefined,
  onStats: ({ bytes }) => {
    if (bytes > 0 && !moves) console.log("moves");
    moves ||= bytes > 0;
  },
  onRetry: () => undefined,
});
console.log(JSON.stringify({ code: exit.code, hang: hang ?? null }));
