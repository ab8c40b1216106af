import type { FarConf } from "../../lib/cluster/far-conf.ts";
import type { Reached } from "../../lib/cluster/reachable.ts";
import { columnsText } from "./table.ts";

/** What was found of a cluster's rclone.conf. */
interface ConfCheck {
  name: string;
  conf: FarConf;
  /** What is wrong with the file itself. */
  problem: string | undefined;
  /** The remotes that were asked for, and those of them that are not there. */
  wanted: readonly string[];
  missing: readonly string[];
  reached: readonly Reached[];
}

const missingWord = "missing: xfer rclone-config deploy sends it there";

/** What was found, a line for each remote that was asked for; without any, the names of all that are there. */
export function confCheckText({ name, conf, problem, wanted, missing, reached }: ConfCheck): string {
  const head = problem ?? `${conf.path}, mode ${conf.mode}`;
  const names = wanted.length > 0 ? wanted : conf.remotes;
  const isKnown = conf.state === "there" || conf.state === "missing";
  const word = (remote: string) => (missing.includes(remote) ? missingWord : isKnown ? "there" : "not known");
  const rows = names.map((remote) => [remote, word(remote)]);
  const asked = reached.map(({ root, problem: why }) => [root, why ?? "answers a compute node"]);
  return `${name}: ${head}\n${columnsText([...rows, ...asked], "  ")}`;
}

/** The same, schema xfer.rclone-config.v1. */
export function confCheckJson({ name, conf, problem, wanted, missing, reached }: ConfCheck) {
  return {
    schema: "xfer.rclone-config.v1",
    cluster: name,
    path: conf.path,
    state: conf.state,
    mode: conf.mode ?? null,
    problem: problem ?? null,
    remotes: conf.remotes,
    wanted,
    missing,
    reached: reached.map(({ root, problem: why }) => ({
      root,
      reached: why === undefined,
      problem: why ?? null,
    })),
  } as const;
}

interface Deployed {
  name: string;
  path: string;
  remotes: readonly string[];
  replaced: readonly string[];
}

/** What was sent, by name alone. */
export function deployedText({ name, path, remotes, replaced }: Deployed): string {
  const more = replaced.length > 0 ? `; replaced: ${replaced.join(", ")}` : "";
  return `${name}: ${path} has ${remotes.join(", ")}${more}\n`;
}

/** The same, schema xfer.rclone-config-deployed.v1. */
export function deployedJson({ name, path, remotes, replaced }: Deployed) {
  return { schema: "xfer.rclone-config-deployed.v1", cluster: name, path, remotes, replaced } as const;
}
