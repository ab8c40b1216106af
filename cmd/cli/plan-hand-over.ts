import { type Profile, profilesFolder, readProfile } from "../../lib/cluster/profile.ts";
import { version } from "../../package.json" with { type: "json" };
import type { Flags } from "../flags/flag.ts";
import { defaultRunDir } from "../flags/run-dir.ts";
import { handOverText } from "../view/plan.ts";
import { listingWords } from "./build-elsewhere.ts";
import { farWords, valueIn, wordsThere } from "./cluster-of.ts";

/** What handing a command over would do, from the profiles alone: nothing is connected to. */
export async function planHandOver(
  cluster: string,
  { name, flags }: { name: string; flags: Flags },
  rawArgs: readonly string[],
): Promise<string> {
  const given = rawArgs.filter((word) => word !== "--dry-run");
  const runDir = valueIn(given, "run-dir") ?? defaultRunDir;
  const profileOf = (wanted: string) => readProfile(profilesFolder(process.env), wanted);
  const words = (command: { name: string; flags: Flags }, own: readonly string[], profile: Profile) => {
    const binary = `${profile.run_root}/.xfer/bin/xfer-${version}`;
    return farWords(command.name, [...own, ...wordsThere(command, own, { binary, profile })]);
  };
  const place = ({ name: known, host, run_root }: Profile) => ({ cluster: known, host, runRoot: run_root });
  const there = profileOf(cluster);
  const elsewhere = valueIn(given, "build-cluster");
  const at = elsewhere === undefined || elsewhere === cluster ? undefined : profileOf(elsewhere);
  const { default: build } = await import("../manifest/build.ts");
  const listing = { name: build.spec.name, flags: build.spec.flags };
  return handOverText({
    ...place(there),
    words: words({ name, flags }, given, there),
    runDir,
    build: at && {
      ...place(at),
      words: words(listing, listingWords(listing.flags, given, `${runDir}/manifest.jsonl`), at),
    },
  });
}
