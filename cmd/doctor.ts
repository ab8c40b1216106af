import { clusterDefaults } from "../lib/estimate/cost-model.ts";
import { examine } from "../lib/operate/doctor.ts";
import { type DoctorTarget, doctorExecutors, targetOfRun } from "../lib/operate/doctor-target.ts";
import { remoteContext } from "../lib/rclone/conf.ts";
import { checkRoot } from "../lib/rclone/root-check.ts";
import type { RuntimeName } from "../lib/rclone/runtime.ts";
import { readRunConfig } from "../lib/run/config.ts";
import { runLayout } from "../lib/run/layout.ts";
import { requestOfWords } from "../lib/slurm/task-request.ts";
import { memoryProblem, partitionProblem, timeLimitProblem } from "../lib/slurm/values.ts";
import { exitCodes, invalidInput } from "../lib/system/errors.ts";
import { stopSignals, watchForStop } from "../lib/system/interrupt.ts";
import { command } from "./cli/command.ts";
import { checkNoFolder } from "./flags/checks.ts";
import { clusterFlag } from "./flags/cluster.ts";
import type { OptionsOf } from "./flags/flag.ts";
import { here } from "./flags/here.ts";
import { flag, noLimit } from "./flags/make.ts";
import { rootFlags } from "./flags/manifest.ts";
import { jsonFlag } from "./flags/output.ts";
import { imageOf, rcloneFlags } from "./flags/rclone.ts";
import { renderFlags } from "./flags/render.ts";
import { doctorJson, doctorText } from "./view/doctor.ts";
import { printJson, printText } from "./view/print.ts";

/** What a run directory says by itself. */
const ofNoRun = {
  ...rootFlags,
  runtime: rcloneFlags.runtime,
  "rclone-image": rcloneFlags["rclone-image"],
  "rclone-config": rcloneFlags["rclone-config"],
  "pyxis-extra": rcloneFlags["pyxis-extra"],
  partition: flag.checked(partitionProblem, {
    valueHint: "NAME",
    group: "slurm",
    common: true,
    defaultText: "the cluster's",
    description: "Slurm's partition",
  }),
  "time-limit": flag.checked(timeLimitProblem, {
    valueHint: "TIME",
    group: "slurm",
    description: "Slurm's time limit of a task",
  }),
  "cpus-per-task": flag.whole(1, noLimit, { group: "slurm", description: "CPUs of a task" }),
  mem: flag.checked(memoryProblem, { valueHint: "SIZE", group: "slurm", description: "memory of a task" }),
  "sbatch-extras": renderFlags["sbatch-extras"],
};

const doctorFlags = {
  "run-dir": flag.folder({
    group: "what",
    common: true,
    description: "a rendered run; without it, this machine and its cluster in general",
  }),
  executor: flag.oneOf(doctorExecutors, {
    group: "what",
    common: true,
    defaultText: "slurm; local where rclone is on PATH and sbatch is not",
    description: "whether the run is a Slurm array, or on this machine",
  }),
  "through-srun": flag.on({
    group: "slurm",
    common: true,
    description: "look on a compute node, too, by a short job step",
  }),
  "write-probe": flag.on({
    group: "what",
    common: true,
    description: "put a small object to the destination, read it back and delete it",
  }),
  ...ofNoRun,
  cluster: clusterFlag,
  json: jsonFlag,
};

type Input = OptionsOf<typeof doctorFlags>;

export default command({
  name: "xfer doctor",
  description: "Looks whether a run can work, before anything is submitted",
  details: [
    "Each check is ok, a warning, a failure or skipped, with what to do about it. It only reads. --through-srun runs a short job " +
      "step on a compute node: the image's rclone, the two places, rclone.conf, the binary. --write-probe puts an object of a " +
      "new name to the destination and deletes it again.",
    "Exit code 1 means that a check failed.",
  ],
  examples: [
    { says: "A run, before it is submitted", line: "xfer doctor --run-dir run" },
    {
      says: "With all that a compute node can tell, and a probe object",
      line: "xfer doctor --run-dir run --through-srun --write-probe",
    },
    {
      says: "A cluster in general",
      line: "xfer doctor --rclone-image /shared/rclone.sqsh --partition transfer",
    },
  ],
  flags: doctorFlags,
  async run(input, { color }) {
    const target = targetOf(input);
    if (input["write-probe"] && target.dest === undefined) {
      throw invalidInput("--write-probe needs a destination: --run-dir, or --dest");
    }
    if (input["through-srun"] && target.executor === "local") {
      throw invalidInput("--through-srun is for --executor slurm");
    }
    const { signal: stop } = watchForStop(stopSignals);
    const findings = await examine(target, {
      throughSrun: input["through-srun"],
      writeProbe: input["write-probe"],
      stop,
    });
    if (input.json) await printJson(doctorJson(target, findings));
    else await printText(doctorText(findings, color));
    return findings.some(({ state }) => state === "failure") ? exitCodes.failed : exitCodes.done;
  },
});

/** What the flags ask to be looked at. Throws invalid input for flags that a run directory says by itself. */
export function targetOf(input: Input): DoctorTarget {
  const runDir = input["run-dir"];
  if (runDir !== undefined) {
    const names = Object.keys(ofNoRun) as (keyof typeof ofNoRun)[];
    const extra = names.find((name) => input[name] !== undefined && String(input[name]) !== "");
    if (extra !== undefined)
      throw invalidInput(`--${extra} is for a look without --run-dir: a run says it by itself`);
    const { runtime } = readRunConfig(runLayout(runDir).config);
    return targetOfRun(runDir, input.executor ?? executorOf(runtime));
  }
  const executor = input.executor ?? executorOf(input.runtime ?? "pyxis");
  const runtime = input.runtime ?? (executor === "local" ? "host" : "pyxis");
  const configPath = input["rclone-config"];
  if (configPath !== undefined) checkNoFolder("--rclone-config", configPath);
  const context = configPath === undefined ? undefined : remoteContext(configPath, runtime);
  const rootOf = (name: "source" | "dest") => input[name] && checkRoot(`--${name}`, input[name], context);
  return {
    ...{ runDir: undefined, executor, source: rootOf("source"), dest: rootOf("dest"), createBucket: false },
    reach: {
      ...{ runtime, image: imageOf(input, runtime), configPath, pyxisExtra: input["pyxis-extra"] },
      confInContainer: "/etc/rclone/rclone.conf",
    },
    placeFlags: [],
    request: requestOfWords(slurmWords(input), process.env),
    array: { shards: undefined, atATime: clusterDefaults.arrayConcurrency },
    ...{ objects: undefined, agent: here().binary },
  };
}

const executorOf = (runtime: RuntimeName): DoctorTarget["executor"] =>
  runtime === "host" && Bun.which("sbatch") === null ? "local" : "slurm";

function slurmWords(input: Input): string[] {
  const names = ["partition", "time-limit", "mem", "cpus-per-task"] as const;
  const own = names.flatMap((name) => {
    const value = input[name];
    return value === undefined ? [] : [`--${name.replace("time-limit", "time")}=${value}`];
  });
  return [...own, ...input["sbatch-extras"]];
}
