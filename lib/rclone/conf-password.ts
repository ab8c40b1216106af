/** Whether the text of an rclone.conf is encrypted: its first line that is no comment says so (rclone's fs/config/crypt.go). */
export function isEncryptedConf(conf: string): boolean {
  const first = conf
    .replace(/^\uFEFF/, "")
    .split("\n")
    .map((line) => line.trim())
    .find((line) => line !== "" && !/^[#;]/.test(line));
  return first?.startsWith("RCLONE_ENCRYPT_") ?? false;
}

/** What a rclone has to decrypt its rclone.conf with. */
interface PasswordSources {
  env: Readonly<Record<string, string | undefined>>;
  /** The user's flags for that rclone, as words. */
  flags: readonly string[];
}

/** Whether rclone is told the password of its rclone.conf, or how to get it; it is never asked for one. */
export function hasConfPassword({ env, flags }: PasswordSources): boolean {
  if (env.RCLONE_CONFIG_PASS || env.RCLONE_PASSWORD_COMMAND) return true;
  return flags.some((word) => /^--password-command(?:=|$)/.test(word));
}
