import type { CommandSpec, GroupSpec } from "../../../cmd/cli/command.ts";
import type { CommandTree } from "../../../cmd/cli/tree.ts";
import type { Flags } from "../../../cmd/flags/flag.ts";
import { flag } from "../../../cmd/flags/make.ts";

/** A small tree of commands that holds each kind of flag, for tests of what is made from declarations. */

const what = { group: "what", common: true } as const;

const runDir = flag.folder({ ...what, required: true, description: "the run directory" });
const json = flag.on({ group: "output", common: true, description: "print the result as JSON" });

function leaf<F extends Flags>(spec: Omit<CommandSpec<F>, "run">): CommandTree {
  return { spec: { ...spec, run: async () => {} } as unknown as CommandSpec<Flags>, children: [] };
}

const group = (spec: GroupSpec, children: CommandTree[]): CommandTree => ({ spec, children });

const run = leaf({
  name: "xfer run",
  description: "Copies a tree",
  details: ["A run that was stopped goes on where it was."],
  examples: [
    { says: "Copy here", line: "xfer run --source set --dest 'a b' --executor local" },
    {
      says: "Copy on a cluster",
      line: "xfer run --source src:bucket/set --dest dst:bucket/set --rclone-flags '--transfers 4 --checkers 8' --json",
    },
  ],
  flags: {
    source: flag.text({ ...what, required: true, valueHint: "ROOT", description: "what to copy" }),
    dest: flag.text({ ...what, required: true, valueHint: "ROOT", description: "where to" }),
    executor: flag.oneOf(["slurm", "local"], {
      ...{ group: "what", default: "slurm" },
      description: "run the agents as a Slurm array, or here as child processes",
    }),
    "fast-list": flag.onOff({
      ...{ group: "listing", default: true },
      description: "one LIST per 1,000 objects, whatever the prefixes",
      negativeDescription: "list prefix by prefix: less memory",
    }),
    conf: flag.file({
      ...{ group: "rclone", common: true, otherNames: ["rclone-conf"], defaultText: "rclone's own" },
      description: "the configuration",
    }),
    level: flag.oneOf(
      ["nothing-at-all", "something-but-little", "a-good-deal-of-it", "everything-there-is"],
      { group: "output", description: "how much is said" },
    ),
    json,
  },
});

const build = leaf({
  name: "xfer manifest build",
  description: "Lists a source",
  flags: { out: flag.file({ ...what, required: true, alias: "o", description: "the manifest to write" }) },
});

const shard = leaf({
  name: "xfer manifest shard",
  description: "Cuts a manifest",
  flags: { "num-shards": flag.whole(1, 9, { ...what, description: "how many" }), json },
});

const render = leaf({
  name: "xfer slurm render",
  description: "Writes the scripts of a run",
  flags: { "run-dir": runDir, mem: flag.text({ group: "slurm", description: "memory of a task" }) },
});

const submit = leaf({
  name: "xfer slurm submit",
  description: "Submits a run",
  flags: { "run-dir": runDir, json },
});

const shell = leaf({
  name: "xfer completion",
  description: "Prints a script",
  operands: { usage: "bash|zsh", values: ["bash", "zsh"], most: 1 },
  flags: {},
});

const help = leaf({
  name: "xfer help",
  description: "Prints help",
  operands: { usage: "[COMMAND...]", most: 9 },
  flags: { all: flag.on({ ...what, description: "all flags" }) },
});

export const sample = group({ name: "xfer", description: "Moves data" }, [
  run,
  group({ name: "xfer manifest", description: "Works on manifests" }, [build, shard]),
  group({ name: "xfer slurm", description: "Works with Slurm" }, [render, submit]),
  shell,
  help,
]);
