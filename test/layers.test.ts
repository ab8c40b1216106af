import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/**
 * Which folders a folder may import from: those above its line, and only these. `lib/rclone/root` is that file alone.
 */
const layers: Readonly<Record<string, readonly string[]>> = {
  "lib/system": [],
  templates: [],
  ".claude/skills": [],
  "lib/rclone": ["lib/system"],
  "lib/slurm": ["lib/system", "templates"],
  "lib/skills": [".claude/skills", "lib/system"],
  "lib/manifest": ["lib/rclone/root", "lib/system"],
  "lib/listing": ["lib/rclone", "lib/system"],
  "lib/estimate": ["lib/manifest", "lib/system"],
  "lib/build": ["lib/listing", "lib/manifest", "lib/rclone", "lib/system"],
  "lib/compare": ["lib/listing", "lib/manifest", "lib/rclone", "lib/system"],
  "lib/shard": ["lib/estimate", "lib/manifest", "lib/system"],
  "lib/run": ["lib/compare", "lib/manifest", "lib/rclone", "lib/shard", "lib/system"],
  "lib/launch": [
    ...["lib/build", "lib/compare", "lib/estimate", "lib/listing", "lib/manifest", "lib/rclone", "lib/run"],
    ...["lib/shard", "lib/slurm", "lib/system"],
  ],
  "lib/verify": [
    ...["lib/compare", "lib/listing", "lib/manifest", "lib/rclone", "lib/run", "lib/shard", "lib/system"],
  ],
  "lib/cluster": ["lib/rclone", "lib/run", "lib/slurm", "lib/system"],
  agent: [
    ...["lib/compare", "lib/listing", "lib/manifest", "lib/rclone", "lib/run", "lib/shard", "lib/slurm"],
    ...["lib/system", "lib/verify"],
  ],
  "lib/operate": [
    ...["lib/compare", "lib/launch", "lib/manifest", "lib/rclone", "lib/run", "lib/shard", "lib/slurm"],
    ...["lib/system", "lib/verify"],
  ],
  cmd: [
    ...["agent", "lib/build", "lib/compare", "lib/estimate", "lib/launch", "lib/listing", "lib/manifest"],
    ...[
      "lib/cluster",
      "lib/operate",
      "lib/rclone",
      "lib/run",
      "lib/shard",
      "lib/skills",
      "lib/slurm",
      "lib/system",
      "lib/verify",
      "templates",
    ],
  ],
};

interface Import {
  from: string;
  to: string;
}

/** The layer that a file is in: its folder, or the folder's own folder; undefined for a file that is in none. */
function layerOf(path: string): string | undefined {
  const parts = path.split("/");
  const names = parts.map((_, i) => parts.slice(0, i).join("/"));
  return Object.keys(layers).find((layer) => names.includes(layer));
}

/** The imports that run upwards, or to what is no layer. */
function climbs(imports: readonly Import[]): string[] {
  const order = Object.keys(layers);
  const found = imports.filter(({ from, to }) => {
    const [own, other] = [layerOf(from), layerOf(to)];
    if (own === undefined || other === undefined) return true;
    if (own === other) return false;
    const allowed = layers[own]?.some((name) => name === other || to === `${name}.ts`) ?? false;
    return !allowed || order.indexOf(other) > order.indexOf(own);
  });
  return found.map(({ from, to }) => `${from} -> ${to}`);
}

/** Files that import each other in a circle, one circle for each that is found; empty when there is none. */
function circles(imports: readonly Import[]): string[] {
  const next = Map.groupBy(imports, ({ from }) => from);
  const done = new Set<string>();
  const found: string[] = [];
  const walk = (file: string, way: string[]) => {
    if (way.includes(file)) found.push([...way.slice(way.indexOf(file)), file].join(" -> "));
    if (way.includes(file) || done.has(file)) return;
    for (const { to } of next.get(file) ?? []) walk(to, [...way, file]);
    done.add(file);
  };
  for (const file of next.keys()) walk(file, []);
  return found;
}

/** All imports of the program's own files by each other. */
function importsOfCode(): Import[] {
  const root = join(import.meta.dir, "..");
  const files = ["lib", "agent", "cmd"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => join(folder, name)),
  );
  return files.flatMap((from) => {
    const code = readFileSync(join(root, from), "utf8");
    return [...code.matchAll(/(?:\bfrom|\bimport|\bimport\(|new URL\()\s*"(\.{1,2}\/[^"]+)"/g)]
      .map(([, path = ""]) => ({ from, to: normalize(join(dirname(from), path)) }))
      .filter(({ to }) => to !== "package.json");
  });
}

test("imports run down the layers, and in no circle", () => {
  const imports = importsOfCode();
  expect(imports.length).toBeGreaterThan(500);
  expect(climbs(imports)).toEqual([]);
  expect(circles(imports)).toEqual([]);
});

test("ARCHITECTURE.md shows this table", () => {
  const page = readFileSync(join(import.meta.dir, "..", "ARCHITECTURE.md"), "utf8");
  const shown = [...page.matchAll(/^\| `([\w/.]+)` \| [^|]+ \| ([^|]+) \|$/gm)].map(
    ([, folder = "", list = ""]) => {
      const names = list === "nothing" ? [] : list.split(", ");
      const full = (name: string) => (layers[name] || name === "templates" ? name : `lib/${name}`);
      return [folder, names.map(full)] as const;
    },
  );
  expect(shown).toEqual(
    Object.entries(layers).map(([folder, names]) => [folder, [...names].sort()] as const),
  );
  expect(shown.map(([folder]) => folder)).toEqual(Object.keys(layers));
});

test("an import that runs upwards is found, and a circle", () => {
  expect(
    climbs([
      { from: "lib/rclone/log.ts", to: "lib/run/config.ts" },
      { from: "lib/run/state/done.ts", to: "agent/lock.ts" },
      { from: "agent/agent.ts", to: "cmd/main.ts" },
      { from: "cmd/main.ts", to: "test/run.ts" },
      { from: "lib/manifest/read.ts", to: "lib/rclone/log.ts" },
      { from: "lib/manifest/read.ts", to: "lib/rclone/root.ts" },
      { from: "lib/slurm/job-id.ts", to: "lib/rclone/log.ts" },
    ]),
  ).toEqual([
    "lib/rclone/log.ts -> lib/run/config.ts",
    "lib/run/state/done.ts -> agent/lock.ts",
    "agent/agent.ts -> cmd/main.ts",
    "cmd/main.ts -> test/run.ts",
    "lib/manifest/read.ts -> lib/rclone/log.ts",
    "lib/slurm/job-id.ts -> lib/rclone/log.ts",
  ]);
  const file = (name: string) => `lib/system/${name}.ts`;
  expect(
    circles([
      { from: file("a"), to: file("b") },
      { from: file("b"), to: file("c") },
      { from: file("c"), to: file("b") },
    ]),
  ).toEqual(["lib/system/b.ts -> lib/system/c.ts -> lib/system/b.ts"]);
});
