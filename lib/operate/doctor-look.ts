import { parseRoot } from "../rclone/remote-options.ts";
import { stepEnvironment } from "../rclone/runtime.ts";
import { type Step, stepCommand } from "../rclone/step.ts";
import { problemIn } from "../rclone/step-problem.ts";
import { findProgram } from "../system/process.ts";
import type { Looked } from "./doctor-findings.ts";
import { readSteps, type StepFacts } from "./doctor-read.ts";
import { type Answer, ask } from "./doctor-run.ts";
import { nodeScript, pathScript, rcloneScript, type TriedPlaces } from "./doctor-steps.ts";
import type { DoctorTarget } from "./doctor-target.ts";

/** Seconds that srun may wait for a node, minutes that a step may take, and MiB of it at most. */
const [waitSeconds, stepMinutes, stepMemoryMb] = [120, 5, 1024];

const hereMs = 90_000;
const nodeMs = (waitSeconds + stepMinutes * 60 + 60) * 1000;

/** What is tried, and where. */
export interface LookOptions {
  throughSrun: boolean;
  probeKey: string | undefined;
  stop: AbortSignal;
}

/**
 * Runs the scripts that look at node, places and rclone:
 *
 * | | local, or rclone on PATH | apptainer | pyxis |
 * |---|---|---|---|
 * | here | all in one shell | all in one shell, where apptainer is on PATH | the paths alone |
 * | through srun | all in one step | all in one step | two steps: the node's, and rclone's in the image |
 */
export async function lookAround(target: DoctorTarget, options: LookOptions): Promise<Looked> {
  const places = { ...target, probeKey: options.probeKey };
  return options.throughSrun ? await onNode(target, places, options) : await here(target, places, options);
}

async function here(target: DoctorTarget, places: TriedPlaces, { stop }: LookOptions): Promise<Looked> {
  const { runtime, image } = target.reach;
  const startsSteps = runtime === "pyxis" && target.executor === "slurm";
  const can =
    runtime === "host"
      ? hasProgram("rclone")
      : image !== undefined && hasProgram(runtime === "pyxis" ? "srun" : runtime);
  const withRclone = can && !startsSteps;
  const paths = pathScript(places);
  if (!withRclone && paths === "") return { facts: undefined, where: "here" };
  const argv = inOneShell(paths, withRclone ? rcloneCommand(target, places, []) : []);
  const answer = await ask(argv, { timeoutMs: hereMs, stop, env: environmentOf(target) });
  return { facts: factsOf([answer], withRclone), where: "here" };
}

async function onNode(
  target: DoctorTarget,
  places: TriedPlaces,
  { stop, probeKey }: LookOptions,
): Promise<Looked> {
  const { runtime, configPath, image } = target.reach;
  const script = [
    nodeScript({ configPath, binary: target.agent, runDir: target.runDir }),
    pathScript(places),
  ].join("\n");
  const words = placeWords(target);
  const inStep = (argv: readonly string[]) => [
    "srun",
    "--export=ALL",
    "-n",
    "1",
    "--chdir=/",
    ...words,
    ...argv,
  ];
  const endBy = probeKey === undefined ? ("SIGTERM" as const) : ("SIGUSR1" as const);
  const options = { timeoutMs: nodeMs, stop, env: environmentOf(target), endBy };
  const answers =
    runtime === "pyxis"
      ? await Promise.all([
          ask(inStep(inOneShell(script, [])), options),
          ...(image === undefined ? [] : [ask(rcloneCommand(target, places, words), options)]),
        ])
      : [await ask(inStep(inOneShell(script, rcloneCommand(target, places, []))), options)];
  const facts = factsOf(answers, runtime === "host" || image !== undefined);
  return {
    facts,
    where: facts !== undefined && "node" in facts && facts.node ? `on ${facts.node}` : "on a node",
  };
}

function hasProgram(name: string): boolean {
  try {
    findProgram(name);
    return true;
  } catch {
    return false;
  }
}

/** A shell that runs a script and then becomes a command; it ends with the script where there is none. */
function inOneShell(script: string, then: readonly string[]): string[] {
  return then.length === 0 ? ["sh", "-c", script] : ["sh", "-c", `${script}\nexec "$@"`, "sh", ...then];
}

/** Where a step of this run runs, for srun. */
function placeWords({ request }: DoctorTarget): string[] {
  const memory = request.memoryMb === undefined || request.memoryMb === 0 ? stepMemoryMb : request.memoryMb;
  return [
    ...[`--immediate=${waitSeconds}`, `--time=${stepMinutes}`, "--job-name=xfer-doctor"],
    `--mem=${Math.min(stepMemoryMb, memory)}M`,
    ...request.placing,
  ];
}

/** The command of rclone's script, as the run's runtime runs it, with these words for srun under pyxis. */
function rcloneCommand(target: DoctorTarget, places: TriedPlaces, words: readonly string[]): string[] {
  const { reach, source, dest } = target;
  const step: Step = {
    argv: ({ configPath }) => ["sh", "-c", rcloneScript(places, configPath)],
    // Paths are looked at without rclone, and a missing one would keep a container from starting.
    readOnly: source !== undefined && parseRoot(source).form === "remote" ? [source] : [],
    writable: dest !== undefined && parseRoot(dest).form === "remote" ? [dest] : [],
    ...{ cpus: 1, env: process.env },
  };
  const command = stepCommand({ ...reach, pyxisExtra: [...reach.pyxisExtra, ...words] }, step);
  return reach.runtime === "host" || reach.image !== undefined ? command : ["sh", "-c", "true"];
}

const environmentOf = ({ reach }: DoctorTarget) => stepEnvironment(reach.runtime, process.env);

/**
 * What several scripts have told together; of what none told, why. Where rclone was to be asked and told nothing, it did not
 * start: its runtime's words say why.
 */
function factsOf(
  answers: readonly Answer[],
  asksRclone: boolean,
): StepFacts | { problem: string } | undefined {
  const read = answers.map((answer) => {
    if (answer.kind === "missing") return { problem: "srun or sh is not on PATH" };
    const facts = /^== \w+$/m.test(answer.stdout) ? readSteps(answer.stdout) : undefined;
    if (answer.kind === "late") return facts ?? { problem: `no answer within ${answer.seconds} s` };
    if (facts === undefined) return { problem: problemIn(`${answer.stdout}\n${answer.stderr}`.split("\n")) };
    const isSilent = asksRclone && answers.length === 1 && facts.rclone === undefined;
    return isSilent ? { ...facts, rclone: { problem: problemIn(answer.stderr.split("\n")) } } : facts;
  });
  const [first, second] = read;
  if (first === undefined || "problem" in first || second === undefined) return first;
  // The second step is rclone's, in a container that may not have started.
  if ("problem" in second) return { ...first, rclone: second };
  const known = Object.fromEntries(Object.entries(second).filter(([, value]) => value !== undefined));
  return { ...first, ...known };
}
