import type { Account } from "../run/account.ts";
import type { ControlState } from "../run/state/control.ts";
import type { StateFile } from "../run/state/state-file.ts";
import type { StateLook } from "../run/state-reader.ts";
import type { Standing } from "./standing.ts";

/** What of the state could not be relied on. */
export function warningsOf(
  { look, control }: { look: StateLook; control: StateFile<ControlState> },
  account: Pick<Account, "warnings">,
  standing: readonly Standing[],
): string[] {
  const warnings = [...account.warnings];
  let others = 0;
  for (const { look: one, entry } of standing) {
    const { done, fail, progress, attempt } = one;
    if (attempt.kind === "unreadable") warnings.push(attempt.reason);
    for (const file of [done, fail, progress, attempt]) {
      if (file.kind === "value" && (file.value.sha256 ?? entry.sha256) !== entry.sha256) others++;
    }
  }
  if (control.kind === "unreadable") warnings.push(control.reason);
  const files = (count: number) => `${count} state ${count === 1 ? "file is" : "files are"}`;
  if (others > 0) warnings.push(`${files(others)} of another content of the shard, and does not count`);
  const { files: strange, first } = look.foreign;
  if (strange > 0) warnings.push(`${files(strange)} of no shard of this run, such as ${first}`);
  return warnings;
}
