/** The sections of an rclone.conf by name, each with its options. It holds credentials: never print it. */
export class Remotes extends Map<string, ReadonlyMap<string, string>> {
  /**
   * Whether rclone reads the same from this file. Not so for one that is encrypted, that cannot be read, that is not
   * the one that rclone will have, or that has what only rclone's own reader understands.
   */
  certain: boolean;
  /** The file, and whether there is one; undefined where that is not known. */
  file: { path: string; exists: boolean } | undefined;

  constructor(certain: boolean) {
    super();
    this.certain = certain;
  }
}

/** What rclone's reader does more with a line than to take a key and a value: quotes, and variables in values. */
const special = /^["`]|^[^=:]*[=:]\s*(?:`|""")|%\(/;

/**
 * Reads the sections of an rclone.conf as rclone's own reader does (github.com/unknwon/goconfig): a key ends at the first
 * `=` or `:`, and lines that begin with `#` or `;` are comments. An encrypted file yields none.
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
    // A line without a section is what an encrypted file begins with.
    if (key === undefined || value === undefined || !section || special.test(line)) remotes.certain = false;
    else section.set(key.trim(), value.trim());
  }
  // A section with a dot takes from the one before its last dot what it does not have itself.
  for (const name of remotes.keys()) {
    if (name.includes(".") && remotes.has(name.slice(0, name.lastIndexOf(".")))) remotes.certain = false;
  }
  return remotes;
}
