import { RunLook } from "../../lib/operate/run-look.ts";
import { type ShardRow, type ShardSort, shardSorts, sortRows } from "../../lib/operate/shard-rows.ts";
import { type ShardState, shardStates } from "../../lib/operate/shard-state.ts";
import { type RunReading, statusCode } from "../../lib/operate/status.ts";
import { invalidInput } from "../../lib/system/errors.ts";
import { stopExitCode, stopSignals, watchForStop } from "../../lib/system/interrupt.ts";
import { isColored } from "../cli/colors.ts";
import { command } from "../cli/command.ts";
import { clusterFlag } from "../flags/cluster.ts";
import { flag, noLimit } from "../flags/make.ts";
import { lookedAtRunDirFlag } from "../flags/operate.ts";
import { jsonFlag } from "../flags/output.ts";
import { allowUntransferableFlag } from "../flags/plan.ts";
import { printJson, printText } from "../view/print.ts";
import { shardsTable, shardsTsv } from "../view/shard-list.ts";
import { statusJson, statusLines } from "../view/status.ts";
import { ThrottleWatch, throttlingOf } from "./throttling.ts";
import { watchInLines, watchOnScreen } from "./watch.ts";

/** The states of a list such as "failed,running"; undefined for a word that is none. */
function parseStates(text: string): ShardState[] | undefined {
  const words = text.split(",").map((word) => shardStates.find((state) => state === word));
  return words.every((word) => word !== undefined) ? words : undefined;
}

export default command({
  name: "xfer status",
  description: "Shows how a run stands: how far, how fast, what is wrong and what to do",
  details: [
    "It reads the state files, and asks Slurm once for all jobs of the run where there is a Slurm; with --watch every 30 s at " +
      "most. --shards lists shards: as a table on a terminal, separated by tabs elsewhere.",
    "--watch draws over and over on a terminal, until the run has ended or q is typed; elsewhere it prints a line a minute.",
    "--auto-throttle does what xfer throttle --auto does, while it watches. One process does so for a run: where another one " +
      "does, it is told who.",
    "Exit code 0: every object is proven. 1: a shard has failed for good. 75: it is still going, or was stopped.",
  ],
  examples: [
    { says: "How the run in ./run stands", line: "xfer status" },
    { says: "Watch it", line: "xfer status --run-dir run --watch" },
    {
      says: "Watch it, and follow what the stores take",
      line: "xfer status --run-dir run --watch --auto-throttle --max 64",
    },
    {
      says: "Which shards failed or take longest",
      line: "xfer status --shards --state failed,running --sort eta",
    },
  ],
  flags: {
    "run-dir": lookedAtRunDirFlag,
    watch: flag.on({ group: "output", common: true, alias: "w", description: "show it over and over" }),
    shards: flag.on({ group: "output", common: true, description: "list shards" }),
    state: flag.parsed(parseStates, `must be some of ${shardStates.join(",")}, separated by commas`, {
      group: "output",
      common: true,
      valueHint: "STATES",
      defaultText: "all",
      description: `with --shards, those that are ${shardStates.join(", ")}`,
    }),
    sort: flag.oneOf(shardSorts, {
      group: "output",
      common: true,
      defaultText: "shard",
      description: "with --shards, what takes longest, has most bytes left or most attempts first",
    }),
    "auto-throttle": flag.on({
      group: "slurm",
      common: true,
      description: "with --watch, have as many tasks run at a time as the stores take",
    }),
    min: flag.whole(1, noLimit, {
      group: "slurm",
      defaultText: "1",
      description: "the fewest tasks at a time (--auto-throttle)",
    }),
    max: flag.whole(1, noLimit, {
      group: "slurm",
      defaultText: "the run's --array-concurrency",
      description: "the most tasks at a time (--auto-throttle)",
    }),
    "allow-untransferable": allowUntransferableFlag,
    cluster: clusterFlag,
    json: jsonFlag,
  },
  async run(input, { color }) {
    const { state, sort, json } = input;
    if (!input.shards && (state || sort)) throw invalidInput("--state and --sort are for --shards: add it");
    const bounds = throttlingOf(input);
    const rowsOf = input.shards ? (reading: RunReading) => listed(reading.rows(), state, sort) : undefined;
    const look = await RunLook.open(input["run-dir"]);
    const { stdout } = process;
    const colored = isColored(color, stdout, process.env);
    const code = (status: RunReading["status"]) => statusCode(status, input["allow-untransferable"]);
    const columns = stdout.isTTY ? Math.max(20, (stdout.columns || 80) - 1) : Number.POSITIVE_INFINITY;
    const room = { columns, rows: Number.POSITIVE_INFINITY, isColored: colored };
    if (input.watch) {
      const watch = watchForStop(stopSignals);
      const isOnScreen = stdout.isTTY && !json;
      const throttling = bounds && new ThrottleWatch(look, { ...bounds, stop: watch.signal });
      const setup = { watch, isColored: colored, json, rowsOf, throttling };
      const watched = (isOnScreen ? watchOnScreen : watchInLines)(look, setup);
      const { status, reason } = await watched.finally(() => throttling?.end());
      if (isOnScreen && !watch.signal.aborted) await printText(textOf(statusLines(status, room)));
      return reason === undefined ? code(status) : stopExitCode(reason);
    }
    const reading = await look.look();
    const rows = rowsOf?.(reading);
    if (json) await printJson(statusJson(reading.status, rows));
    else if (!rows) await printText(textOf(statusLines(reading.status, room)));
    else await printText(stdout.isTTY ? textOf(shardsTable(rows, room)) : shardsTsv(rows));
    return code(reading.status);
  },
});

const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join("");

/** The rows that are asked for, in the order that is asked for. */
function listed(
  rows: readonly ShardRow[],
  states: readonly ShardState[] | undefined,
  by: ShardSort | undefined,
): ShardRow[] {
  return sortRows(
    rows.filter((row) => states === undefined || states.includes(row.state)),
    by ?? "shard",
  );
}
