import { isEncryptedConf } from "../rclone/conf-password.ts";
import { invalidInput } from "../system/errors.ts";

/** Lines whose meaning goes beyond their line: values of several lines, and variables. */
const beyondOneLine = /^["`]|^[^=:]*[=:]\s*(?:`|""")|%\(/;

const headerOf = (line: string): string | undefined => /^\[(.*)\]$/.exec(line.trim())?.[1]?.trim();

const isComment = (line: string): boolean => /^\s*(?:[#;]|$)/.test(line);

/**
 * The sections of an rclone.conf that are asked for, as the text of a file that holds them alone:
 *
 * | line | |
 * |---|---|
 * | a header that is asked for, and the options below it | goes along as it is |
 * | a comment, which may hold a key that was replaced | stays |
 * | any other section | stays |
 *
 * Throws invalid input for an encrypted file, a section that is not there, and one that only rclone can read. No message
 * holds a value.
 */
export function cutSections(path: string, conf: string, wanted: readonly string[]): string {
  if (isEncryptedConf(conf)) {
    throw invalidInput(
      `${path} is encrypted, and a part of it cannot be sent: remove its password (rclone config), or write the remotes ` +
        "into the cluster's rclone.conf there (rclone config)",
    );
  }
  const sections = readSections(conf);
  const missing = wanted.filter((name) => !sections.has(name));
  if (missing.length > 0) {
    throw invalidInput(
      `${path} has no remote ${missing.join(", ")}: it has ${[...sections.keys()].join(", ")}`,
    );
  }
  const odd = wanted.find((name) => sections.get(name)?.some((line) => beyondOneLine.test(line)));
  if (odd !== undefined) {
    throw invalidInput(
      `${path}: the remote ${odd} has a value that only rclone can read: set it up there (rclone config)`,
    );
  }
  return wanted.map((name) => `[${name}]\n${(sections.get(name) ?? []).join("\n")}\n`).join("\n");
}

/** The lines of each section, without comments. A section that is there twice has the lines of both, as rclone reads it. */
function readSections(conf: string): Map<string, string[]> {
  const sections = new Map<string, string[]>();
  let lines: string[] | undefined;
  for (const raw of conf.replace(/^\uFEFF/, "").split(/\r?\n/)) {
    const name = headerOf(raw);
    if (name !== undefined) {
      lines = sections.get(name) ?? [];
      sections.set(name, lines);
    } else if (!isComment(raw)) lines?.push(raw.trim());
  }
  return sections;
}

/** Remotes that these sections are made of (crypt, alias, union), and that are not among them. */
export function wrappedRemotes(sections: string): string[] {
  const names = new Set<string>();
  for (const line of sections.split("\n")) {
    const value = /^(?:remote|upstreams)\s*=\s*(.*)$/.exec(line)?.[1] ?? "";
    for (const word of value.split(/\s+/)) {
      const name = /^(?:[^=:]*=)?([^/:,]+)[:,]/.exec(word)?.[1];
      if (name !== undefined) names.add(name);
    }
  }
  return [...names].filter((name) => !sections.split("\n").includes(`[${name}]`));
}
