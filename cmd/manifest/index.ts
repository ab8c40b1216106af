import { defineCommand } from "citty";

export default defineCommand({
  meta: { name: "xfer manifest", description: "Lists a source into a manifest, and works on manifests" },
  subCommands: {
    build: () => import("./build.ts").then((module) => module.default),
    combine: () => import("./combine.ts").then((module) => module.default),
    delta: () => import("./delta.ts").then((module) => module.default),
    import: () => import("./import.ts").then((module) => module.default),
    shard: () => import("./shard.ts").then((module) => module.default),
    analyze: () => import("./analyze.ts").then((module) => module.default),
    estimate: () => import("./estimate.ts").then((module) => module.default),
    rebase: () => import("./rebase.ts").then((module) => module.default),
  },
});
