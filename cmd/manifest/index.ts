import { group } from "../cli/command.ts";

export default group(
  {
    name: "xfer manifest",
    description: "Lists a source into a manifest, and works on manifests",
    examples: [
      {
        says: "List a source",
        line: "xfer manifest build --runtime host --source set --dest copy --out manifest.jsonl",
      },
      { says: "Look at what was listed", line: "xfer manifest analyze --in manifest.jsonl" },
    ],
  },
  {
    build: () => import("./build.ts"),
    combine: () => import("./combine.ts"),
    delta: () => import("./delta.ts"),
    import: () => import("./import.ts"),
    shard: () => import("./shard.ts"),
    analyze: () => import("./analyze.ts"),
    estimate: () => import("./estimate.ts"),
    rebase: () => import("./rebase.ts"),
  },
);
