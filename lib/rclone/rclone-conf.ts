/** The sections of an rclone.conf by name, each with its options. They hold credentials: never print them. */
export class Remotes extends Map<string, ReadonlyMap<string, string>> {
  /**
   * Whether rclone reads the same sections. It may not where the file is encrypted, cannot be read, is not the one that
   * rclone will have, or has syntax that only rclone's own reader understands.
   */
  certain: boolean;
  /** The file, and whether it is there; undefined where that is not known. */
  file: { path: string; exists: boolean } | undefined;

  constructor(certain: boolean) {
    super();
    this.certain = certain;
  }
}

/** Lines of which rclone's reader takes more than a key and a value: quotes, and variables in values. */
const special = /^["`]|^[^=:]*[=:]\s*(?:`|""")|%\(/;

/**
 * Reads the sections of an rclone.conf as rclone's own reader does (github.com/unknwon/goconfig). A key ends at the first
 * `=` or `:`. A line that begins with `#` or `;` is a comment. An encrypted file has no sections.
 */
export function parseRemotes(conf: string): Remotes {
  const remotes = new Remotes(true);
  let section: Map<string, string> | undefined;
  for (const raw of conf.replace(/^\uFEFF/, "").split("\n")) {
    const line = raw.trim();
    if (line === "" || /^[#;]/.test(line)) continue;
    const header = /^\[(.*)\]$/.exec(line)?.[1]?.trim();
    if (header !== undefined) {
      section = new Map(remotes.get(header));
      remotes.set(header, section);
      continue;
    }
    const [, key, value] = /^([^=:]+)[=:](.*)$/s.exec(line) ?? [];
    // An encrypted file begins with a line that is in no section.
    if (key === undefined || value === undefined || !section || special.test(line)) remotes.certain = false;
    else section.set(key.trim(), value.trim());
  }
  // A section [a.b] inherits options that it lacks from the section [a].
  for (const name of remotes.keys()) {
    if (name.includes(".") && remotes.has(name.slice(0, name.lastIndexOf(".")))) remotes.certain = false;
  }
  return remotes;
}
