import type { Explained } from "../../lib/cluster/defaults.ts";
import type { Profile } from "../../lib/cluster/profile.ts";
import { columnsText } from "./table.ts";

/** Where a command's flags have their values from: those that were given, then those of the profile, then the others. */
export function explainedText(
  command: string,
  profile: Pick<Profile, "name" | "host" | "run_root"> | undefined,
  rows: readonly Explained[],
): string {
  const head = profile
    ? `${command} at ${profile.name} (${profile.host}), below ${profile.run_root}\n`
    : `${command} on this machine\n`;
  const order = ["flag", "profile", "default"] as const;
  const sorted = order.flatMap((from) => rows.filter((row) => row.from === from));
  const lines = sorted.map(({ flag, value, from }) => [`--${flag}`, from, value ?? "-"]);
  return `${head}${columnsText([["flag", "from", "value"], ...lines], "  ")}`;
}
