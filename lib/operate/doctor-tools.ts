import type { TriedStart } from "../launch/agent-check.ts";
import { type Finding, failure, ok, skipped, warning } from "../launch/finding.ts";
import type { RuntimeName } from "../rclone/runtime.ts";
import type { Answer } from "./doctor-run.ts";

/** The programs that a run needs on this host, each with the words by which it tells its version. */
export function toolsOf(executor: "slurm" | "local", runtime: RuntimeName): [string, string][] {
  const slurm = ["sbatch", "srun", "squeue", "scontrol"].map((name): [string, string] => [name, "--version"]);
  return [
    ...(executor === "slurm" ? slurm : []),
    ...(runtime === "host" ? [["rclone", "version"] satisfies [string, string]] : []),
    ...(runtime === "apptainer" ? [["apptainer", "--version"] satisfies [string, string]] : []),
    ...(runtime === "pyxis" && executor === "local"
      ? [["srun", "--version"] satisfies [string, string]]
      : []),
  ];
}

/**
 * Whether a program that a run needs is there:
 *
 * | it | | |
 * |---|---|---|
 * | tells its version | ok | |
 * | is not on PATH | failure | skipped, where the compute nodes alone need it (rclone, apptainer under Slurm) |
 * | does not answer, or fails | failure | |
 */
export function toolFinding(name: string, answer: Answer, isForNodes: boolean): Finding {
  switch (answer.kind) {
    case "missing":
      if (isForNodes)
        return skipped(name, "is not on PATH here; the compute nodes need it: --through-srun looks there");
      return failure(name, "is not on PATH", "install it here, or put its folder on PATH");
    case "late":
      return failure(name, `does not answer within ${answer.seconds} s`, `look at it: ${name} --version`);
    case "ended": {
      const lines = `${answer.stdout}\n${answer.stderr}`.split("\n").map((line) => line.trim());
      const said = lines.filter((line) => line !== "");
      if (answer.code !== 0) {
        const text = `fails with exit code ${answer.code}: ${said.at(-1) ?? "it prints nothing"}`;
        return failure(name, text, `make it work on this host: ${name} --version`);
      }
      const version = said.find((line) => /\d+\.\d+/.test(line)) ?? said[0] ?? "there";
      return ok(name, version.replace(/^(?:slurm(?:-wlm)?|rclone|apptainer version) /, ""));
    }
  }
}

/** Whether srun has pyxis' options, by what `srun --help` prints. */
export function pyxisFinding(help: Answer): Finding {
  if (help.kind !== "ended" || help.code !== 0)
    return skipped("pyxis", "srun did not tell its options (srun --help)");
  if (/^\s+--container-image\b/m.test(help.stdout)) return ok("pyxis", "srun has --container-image");
  const mend = "have pyxis installed (plugstack.conf), or use --runtime apptainer or --runtime host";
  return failure("pyxis", "srun has no --container-image: pyxis is not on this host", mend);
}

/**
 * What starting the run's binary on this host says:
 *
 * | the binary | starts here | is not there | may not be executed | does not run |
 * |---|---|---|---|---|
 * | bin/xfer | ok | failure | failure | failure |
 * | of --agent-path | ok | skipped: the nodes may see it | failure | warning: the nodes may be of another kind |
 */
export function binaryFinding({ path, isCopy, exists, failure: why }: TriedStart): Finding {
  const check = "binary";
  if (!exists && !isCopy) return skipped(check, `${path}: no such file here; the compute nodes may see it`);
  if (!exists) return failure(check, `${path}: no such file`, "render the run again: xfer slurm render");
  if (why === undefined) return ok(check, `${path} runs here`);
  if (why.denied) {
    const text = `${path} cannot be executed (mounted noexec, or without the right to)`;
    return failure(check, text, "use another file system, or render with --agent-path");
  }
  const text = `${path} does not run here: ${why.text}`;
  if (!isCopy) return warning(check, text, "it must on the compute nodes: --through-srun tries it there");
  return failure(check, text, "render with the xfer of this cluster, or with --agent-path");
}

/** What Slurm itself says of a submission that it only tries: `sbatch --test-only`. */
export function testOnlyFinding(answer: Answer): Finding {
  const check = "submission";
  if (answer.kind === "missing") return skipped(check, "there is no sbatch");
  if (answer.kind === "late") return skipped(check, `sbatch --test-only took more than ${answer.seconds} s`);
  const lines = answer.stderr.split("\n").map((line) => line.replace(/^sbatch: (?:error: )?/, "").trim());
  const said = lines.filter((line) => line !== "");
  if (answer.code === 0) {
    const start = said.findLast((line) => /to start at/.test(line));
    return ok(check, `Slurm would take it${start === undefined ? "" : ` (${start})`}`);
  }
  const text = `Slurm would refuse it: ${said.at(-1) ?? `exit code ${answer.code}`}`;
  return failure(check, text, "change what the run asks for: xfer slurm render");
}
