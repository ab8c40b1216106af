import type { UserFlags } from "../../lib/rclone/user-flags.ts";

/** https://rclone.org/docs/#checkers-int */
const checkersDefault = 8;

/**
 * The flags that hold rclone back while the store throttles: --checkers is lowered in proportion to --transfers, and no
 * new transfer begins after `limitMs`. Transfers under way at that moment still end, so that no work is lost. No flags
 * while --transfers is the user's.
 */
export function throttleFlags(
  flags: Pick<UserFlags, "given" | "transfers">,
  { transfers, lowered }: { transfers: number; lowered: number | null },
  limitMs: number | undefined,
): string[] {
  if (lowered === null) return [];
  const checkers = Number(flags.given.get("checkers") ?? checkersDefault) || checkersDefault;
  const fewer = Math.max(1, Math.ceil((checkers * transfers) / flags.transfers));
  const bounds = limitMs === undefined ? [] : ["--max-duration", `${limitMs}ms`, "--cutoff-mode", "soft"];
  return ["--checkers", String(fewer), ...bounds];
}

/** How often rclone's S3 library repeats a request before rclone hears of it, in a pass that has to show refusals. */
const repeatsInSilence = 2;
/** Objects larger than this are not moved again for a few refused requests. */
const smallBytes = 64 * 1024 * 1024;

/**
 * The flags that make refused requests visible. rclone's S3 library repeats a GET, a COPY or a part of an upload in
 * silence, as often as --low-level-retries says. The first pass over small objects therefore gets few repeats; an object
 * that fails for that is copied by the next pass, which has the user's value.
 */
export function candidFlags(
  given: ReadonlyMap<string, string>,
  facts: { pass: number; passes: number; largestBytes: number; usesS3: boolean },
): string[] {
  const { pass, passes, largestBytes, usesS3 } = facts;
  const hasFewer = Number(given.get("low-level-retries")) <= repeatsInSilence;
  const isFirstOfMany = pass === 1 && passes > 1;
  if (!usesS3 || !isFirstOfMany || largestBytes > smallBytes || hasFewer) return [];
  return ["--low-level-retries", String(repeatsInSilence)];
}
