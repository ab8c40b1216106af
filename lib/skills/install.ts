import { join } from "node:path";
import { readTextIfExists, writeFileDurable } from "../system/durable.ts";
import { readError } from "../system/errors.ts";
import type { Skill } from "./embedded.ts";
import { type Standing, stamped, standingOf } from "./stamp.ts";

/** What was done with a skill's file. */
export type Outcome = "written" | "same" | "updated" | "kept" | "replaced";

/** A skill's file after an installation. */
export interface Installed {
  readonly name: string;
  readonly path: string;
  readonly outcome: Outcome;
}

interface Installation {
  readonly skills: readonly Skill[];
  /** The folder of all skills: each has a folder of its own in it. */
  readonly folder: string;
  /** The version that the files say they are of. */
  readonly version: string;
  /** Whether files that somebody has changed are replaced. */
  readonly force: boolean;
}

/**
 * What is done with a file:
 *
 * | | without force | with it |
 * |---|---|---|
 * | absent | written | written |
 * | same | same | same |
 * | other-version | updated | updated |
 * | changed | kept | replaced |
 */
export function outcomeOf(standing: Standing, force: boolean): Outcome {
  if (standing === "absent") return "written";
  if (standing === "same") return "same";
  if (standing === "other-version") return "updated";
  return force ? "replaced" : "kept";
}

/** Writes the skills into a folder, each whole. All files that are there are looked at before the first is written. */
export function installSkills({ skills, folder, version, force }: Installation): Installed[] {
  const planned = skills.map(({ name, text }) => {
    const path = join(folder, name, "SKILL.md");
    const outcome = outcomeOf(standingOf(readPresent(path), text), force);
    return { name, path, outcome, text };
  });
  for (const { path, outcome, text } of planned)
    if (outcome !== "same" && outcome !== "kept") writeFileDurable(path, stamped(text, version));
  return planned.map(({ name, path, outcome }) => ({ name, path, outcome }));
}

function readPresent(path: string): string | undefined {
  try {
    return readTextIfExists(path);
  } catch (error) {
    throw readError(path, error);
  }
}
