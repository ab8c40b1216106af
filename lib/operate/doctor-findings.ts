import { type ConfLook, confFinding } from "../launch/conf-look.ts";
import { type Finding, failure, ok, skipped, warning } from "../launch/finding.ts";
import { pullWarning, whyUnreadable } from "../launch/image-check.ts";
import type { RuntimeName } from "../rclone/runtime.ts";
import type { PlaceLook, ProbeLook, StepFacts } from "./doctor-read.ts";

/** Where scripts ran: on this host, or on a compute node, and there in the run's container. */
export interface Looked {
  /** What they told, or why none of them came so far; undefined where they were not started. */
  facts: StepFacts | { problem: string } | undefined;
  /** "here", "on n1". */
  where: string;
}

const notAsked = "not looked at: --through-srun looks on a compute node (a short job step)";

/** What scripts have told of something; the finding that says why they have not, where they have not. */
function told<K extends keyof StepFacts>(
  check: string,
  looked: Looked,
  field: K,
  then: (value: NonNullable<StepFacts[K]>, where: string) => Finding,
): Finding {
  const { facts, where } = looked;
  if (facts === undefined) return skipped(check, notAsked);
  if ("problem" in facts) return skipped(check, `not looked at: nothing ran ${where}`);
  const value = facts[field];
  if (value === undefined) return skipped(check, untold(looked, field));
  return then(value as NonNullable<StepFacts[K]>, where);
}

/** Why scripts that ran have not told of something. */
function untold({ facts, where }: Looked, field: keyof StepFacts): string {
  const ofRclone = field === "source" || field === "dest" || field === "probe";
  const rclone = facts !== undefined && "rclone" in facts ? facts.rclone : undefined;
  if (ofRclone && rclone !== undefined && "problem" in rclone)
    return `not looked at: rclone did not run ${where}`;
  return where === "here" ? notAsked : `${where}: it was not told`;
}

/** Whether the scripts ran at all: on a compute node the first thing to know. */
export function stepFinding({ facts, where }: Looked, throughSrun: boolean): Finding[] {
  const check = "job-step";
  if (facts !== undefined && "problem" in facts) {
    const mend = throughSrun
      ? "see that a step starts there: srun -n 1 true"
      : "see that the programs above run";
    return [failure(check, `nothing ran ${where}: ${facts.problem}`, mend)];
  }
  return throughSrun && facts !== undefined ? [ok(check, `a step ran ${where}`)] : [];
}

/** Whether the image can be read on this host. A compute node's word on it counts more. */
export function imageFinding(
  { runtime, image }: { runtime: RuntimeName; image: string | undefined },
  looked: Looked,
): Finding[] {
  if (runtime === "host") return [];
  if (image === undefined) return [skipped("image", "none is named: --rclone-image")];
  if (!image.startsWith("/")) return [warning("image", image, pullWarning(runtime, image))];
  const why = whyUnreadable(image);
  if (why === undefined) return [ok("image", image)];
  const hasRun = looked.facts !== undefined && "rclone" in looked.facts && looked.facts.rclone !== undefined;
  if (hasRun && "version" in (looked.facts as { rclone: object }).rclone) {
    return [warning("image", `${image}: ${why}; a compute node has it`, "submit with --no-image-check")];
  }
  const mend =
    "put it there, or render with another --rclone-image; if only the nodes see it: --no-image-check";
  return [failure("image", `${image}: ${why}`, mend)];
}

/** The rclone that the agents would have. */
export function rcloneFinding(looked: Looked, runtime: RuntimeName): Finding {
  return told("rclone-runs", looked, "rclone", (rclone, where) => {
    if ("version" in rclone) return ok("rclone-runs", `${rclone.version} ${where}`);
    const mend =
      runtime === "host"
        ? "install rclone there, or use an image"
        : "use an image that holds rclone, as rclone/rclone does";
    return failure("rclone-runs", `${where}: ${rclone.problem}`, mend);
  });
}

/** rclone.conf as a compute node sees it. */
export function nodeConfFinding(path: string | undefined, looked: Looked): Finding[] {
  if (path === undefined) return [];
  return [
    told("rclone-conf-node", looked, "conf", (state, where) => {
      const look: ConfLook = { path, state, isShared: true };
      const found = confFinding("rclone-conf-node", look, false);
      return { ...found, text: `${where}: ${found.text}` };
    }),
  ];
}

/** The run directory as a compute node sees it. */
export function nodeFolderFinding(runDir: string | undefined, looked: Looked): Finding[] {
  if (runDir === undefined) return [];
  return [
    told("run-dir-node", looked, "folder", (folder, where) => {
      if (folder === "writable") return ok("run-dir-node", `${where}: it can be written`);
      const text = `${where}: ${runDir} ${folder === "missing" ? "is not there" : "cannot be written"}`;
      return failure(
        "run-dir-node",
        text,
        "put the run directory on a file system that all nodes see and may write",
      );
    }),
  ];
}

/** The binary on a compute node: whether it may be executed there, and finds its C library. */
export function nodeBinaryFinding(path: string | undefined, looked: Looked): Finding[] {
  if (path === undefined) return [];
  return [
    told("binary-node", looked, "binary", (binary, where) => {
      const glibc = looked.facts && "glibc" in looked.facts ? looked.facts.glibc : undefined;
      const libc = glibc === undefined ? "" : `, glibc ${glibc}`;
      if ("version" in binary) return ok("binary-node", `${where}: ${path} runs (${binary.version}${libc})`);
      const text = `${where}: ${path} does not run${libc === "" ? "" : ` (${libc.slice(2)})`}: ${binary.problem}`;
      return failure(
        "binary-node",
        text,
        "use a binary for that machine, where it may be executed: --agent-path",
      );
    }),
  ];
}

/**
 * Whether there is something to copy:
 *
 * | at the source | |
 * |---|---|
 * | an object | ok |
 * | nothing, or no such place | failure |
 * | rclone cannot say | failure |
 */
export function sourceFinding(root: string, looked: Looked): Finding {
  return told("source", looked, "source", (place, where) => {
    if (place === "objects") return ok("source", `${root} lists objects ${where}`);
    const mend = "look at the root, at rclone.conf and at the rights of its key";
    return failure("source", `${where}: ${root}: ${wordsOf(place)}`, mend);
  });
}

const wordsOf = (place: Exclude<PlaceLook, "objects">): string =>
  place === "empty" ? "there is no object" : place === "absent" ? "no such bucket or folder" : place.problem;

/**
 * Whether the destination answers:
 *
 * | at the destination | it is a bucket's | it is another place |
 * |---|---|---|
 * | something, or nothing | ok | ok |
 * | no such place | failure; ok with --create-bucket | ok: a copy makes the folder |
 * | rclone cannot say | failure | failure |
 */
export function destFinding(
  { root, isBucket, createBucket }: { root: string; isBucket: boolean; createBucket: boolean },
  looked: Looked,
): Finding {
  return told("destination", looked, "dest", (place, where) => {
    if (place === "objects" || place === "empty") return ok("destination", `${root} can be listed ${where}`);
    if (place !== "absent") {
      const mend = "look at the root, at rclone.conf and at the rights of its key";
      return failure("destination", `${where}: ${root}: ${place.problem}`, mend);
    }
    if (!isBucket) return ok("destination", `${root} is not there yet: the run makes it`);
    if (createBucket) return ok("destination", `the bucket of ${root} is not there yet: the run creates it`);
    return failure(
      "destination",
      `${root}: its bucket does not exist`,
      "create it, or render with --create-bucket",
    );
  });
}

/** Whether the destination took, gave back and deleted a probe object of this key. */
export function probeFinding(
  probe: { key: string; root: string; isBucket: boolean } | undefined,
  looked: Looked,
): Finding {
  const check = "write-probe";
  if (probe === undefined)
    return skipped(check, "not tried: --write-probe puts, reads and deletes an object");
  const { facts } = looked;
  if (facts !== undefined && !("problem" in facts) && facts.probe === undefined) {
    return skipped(check, "not tried: the destination is not there, or cannot be used");
  }
  return told(check, looked, "probe", (tried, where) => probeVerdict(check, probe, tried, where));
}

function probeVerdict(
  check: string,
  { key, root, isBucket }: { key: string; root: string; isBucket: boolean },
  { problem, isLeft, versioning }: ProbeLook,
  where: string,
): Finding {
  const versions =
    versioning === "Unversioned" || !isBucket
      ? ""
      : versioning === undefined
        ? "; where the bucket keeps versions, one of the probe stays"
        : `; versioning of the bucket is ${versioning}: a version of the probe stays`;
  if (problem === undefined)
    return ok(check, `${root} took, gave back and deleted ${key} ${where}${versions}`);
  const left = isLeft ? `; delete ${key} by hand` : "";
  return failure(
    check,
    `${where}: ${problem}${left}`,
    "give the key of the destination the right to put, get and delete",
  );
}
