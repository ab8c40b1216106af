import type { Skill } from "../../lib/skills/embedded.ts";
import type { Installed, Outcome } from "../../lib/skills/install.ts";
import { wrap } from "../cli/wrap.ts";

/** The skills that a binary holds, for people: each with what it is for, in lines of so many columns. */
export function listedText(skills: readonly Skill[], columns = 80): string {
  const paragraphs = skills.map(({ name, description }) =>
    [name, ...wrap(description, columns - 2).map((line) => `  ${line}`)].join("\n"),
  );
  return `${paragraphs.join("\n\n")}\n`;
}

/** The skills that a binary holds, schema xfer.skills.v1. */
export function listedJson(skills: readonly Skill[]) {
  return {
    schema: "xfer.skills.v1",
    skills: skills.map(({ name, description }) => ({ name, description })),
  } as const;
}

const said: Readonly<Record<Outcome, string>> = {
  written: "written",
  same: "is up to date",
  updated: "brought up to date",
  kept: "kept as it was changed",
  replaced: "replaced, changes and all",
};

/** What an installation did with each file, and where Claude Code looks for them. */
export function installedText(folder: string, installed: readonly Installed[]): string {
  const lines = installed.map(({ path, outcome }) => `${path}: ${said[outcome]}`);
  return `${lines.join("\n")}\n${folder}: ${installed.length} skills\n`;
}

/** What an installation did with each file, schema xfer.skills-install.v1. */
export function installedJson(folder: string, installed: readonly Installed[]) {
  return { schema: "xfer.skills-install.v1", folder, skills: installed } as const;
}

/** What is to be done about files that were not brought up to date; undefined when there is none. */
export function keptText(installed: readonly Installed[]): string | undefined {
  const kept = installed.filter(({ outcome }) => outcome === "kept").map(({ path }) => path);
  if (kept.length === 0) return undefined;
  return `not brought up to date, since somebody has changed them: ${kept.join(", ")} (--force replaces them)`;
}
