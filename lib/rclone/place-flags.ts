import { backendOption } from "./flag-table.ts";
import { parseFlagWords } from "./flag-words.ts";

/** Flags of rclone that say how any place is reached: https://rclone.org/flags/#networking */
const networking = new Set([
  "bind",
  "bwlimit",
  "ca-cert",
  "client-cert",
  "client-key",
  "contimeout",
  "disable-http-keep-alives",
  "disable-http2",
  "dscp",
  "expect-continue-timeout",
  "http-proxy",
  "low-level-retries",
  "max-connections",
  "no-check-certificate",
  "no-gzip-encoding",
  "password-command",
  "timeout",
  "tpslimit",
  "tpslimit-burst",
  "use-cookies",
  "user-agent",
]);

/** Flags that say how a local tree is seen: a file that is copied through a link has to be found through it too. */
const links = new Set(["copy-links", "links", "skip-links", "one-file-system"]);

/**
 * The user's flags for copies that a listing of the same place needs too: those that say how the place is reached, and how
 * its tree is seen. All other flags are about copying, or would hide objects.
 */
export function placeFlags(words: readonly string[]): string[] {
  return parseFlagWords(words, "copy", "--rclone-flags").flatMap(({ name, words: own }) =>
    networking.has(name) || links.has(name) || backendOption(name) ? own : [],
  );
}
