import type { FaultAction, Kind } from "../s3/endpoint.ts";
import { Draw } from "./draw.ts";
import {
  drawNames,
  foldersOf,
  holdable,
  isPlain,
  isUtf8,
  type Name,
  nameOf,
  type StoreKind,
} from "./names.ts";

/** An object of a round: its content follows from its size and a number. */
export interface RoundObject {
  name: Name;
  size: number;
  content: number;
  mtimeMs: number;
}

/** Something is killed so long after the start of xfer. */
export interface Kill {
  afterMs: number;
  who: "xfer" | "agent" | "rclone";
  signal: "SIGKILL" | "SIGTERM" | "SIGINT";
}

/** Requests of one endpoint that fail; without a name they are any object's. */
export interface RoundFault {
  at: "source" | "dest";
  kinds: readonly Kind[];
  action: FaultAction;
  name?: Name;
  times?: number;
}

/** All that a round is, as plain data: it can be printed, and made smaller. */
export interface Scenario {
  seed: number;
  source: StoreKind;
  dest: StoreKind;
  rclone: "debian" | "current";
  objects: RoundObject[];
  /** What the destination holds already. */
  present: RoundObject[];
  /** Files, and folders, of a POSIX source that xfer may not read. */
  closed: Name[];
  shards: number;
  strategy: "bytes" | "count" | "hash";
  flags: string[];
  /** The kills of each start before the last, which ends by itself. */
  starts: Kill[][];
  faults: RoundFault[];
}

const flagSets: readonly (readonly string[])[] = [
  ["--checksum"],
  ["-c"],
  ["--checksum=1"],
  ["--size-only"],
  ["--ignore-existing"],
  ["--ignore-existing=true"],
  ["--update"],
  ["--update=true"],
  ["-uv"],
  ["--fast-list=false"],
  ["--no-traverse"],
  ["--s3-no-head"],
  ["--immutable"],
];

/** The round of a seed. */
export function drawScenario(seed: number): Scenario {
  const draw = new Draw(seed);
  const source = draw.one<StoreKind>(["s3", "posix"]);
  const dest = draw.one<StoreKind>(["s3", "posix"]);
  const hazards = {
    unreachable: draw.chance(0.4),
    notUtf8: source === "posix" && draw.chance(0.3),
    long: draw.chance(0.3),
  };
  const count = draw.chance(0.06) ? draw.whole(150, 400) : draw.whole(1, draw.one([3, 12, 40]));
  const names = holdable(drawNames(draw, count, hazards), source);
  // Every round has something that must arrive.
  const must = "must/arrive";
  if (holdable([must], source, names).length === 1) names.push(must);
  const objects = names.map((name, index) => drawObject(draw, name, index));
  const disturbed = draw.chance(0.3);
  return {
    seed,
    source,
    dest,
    rclone: draw.one(["debian", "current"]),
    objects,
    present: draw.chance(0.4) ? drawPresent(draw, objects, dest) : [],
    closed: source === "posix" && draw.chance(0.2) ? drawClosed(draw, names) : [],
    shards: draw.one([1, 1, 2, 3]),
    strategy: draw.one(["bytes", "bytes", "count", "hash"]),
    flags: ["--transfers", String(draw.one([1, 2, 4])), ...(draw.chance(0.3) ? draw.one(flagSets) : [])],
    starts: disturbed ? Array.from({ length: draw.whole(1, 3) }, () => drawKills(draw)) : [],
    faults: draw.chance(0.3) ? drawFaults(draw, { source, dest, names }) : [],
  };
}

const firstMs = Date.UTC(2024, 0, 1);
const hourMs = 3_600_000;

function drawObject(draw: Draw, name: Name, index: number): RoundObject {
  // Few sizes, so that many objects are told apart by their content alone.
  const size = draw.one([0, 1, 7, 7, 100, 100, 5_000, draw.whole(0, 60_000)]);
  return { name, size, content: index + 1, mtimeMs: firstMs + index * 60_000 };
}

/** Of the source's objects some in one of the states that they can have at the destination, and some of no one. */
function drawPresent(draw: Draw, objects: readonly RoundObject[], dest: StoreKind): RoundObject[] {
  const states: ((object: RoundObject) => RoundObject)[] = [
    (object) => object,
    (object) => ({ ...object, content: -object.content, mtimeMs: object.mtimeMs - hourMs }),
    (object) => ({ ...object, content: -object.content, mtimeMs: object.mtimeMs + hourMs }),
    (object) => ({ ...object, size: object.size + 3, mtimeMs: object.mtimeMs - hourMs }),
    (object) => ({
      ...object,
      size: object.size + 3,
      content: -object.content,
      mtimeMs: object.mtimeMs + hourMs,
    }),
  ];
  const known = draw.some(objects, draw.whole(0, objects.length)).map((object) => draw.one(states)(object));
  const names = new Set(objects.map(({ name }) => name));
  // Where a program that folds names would put the source's objects.
  const folded = objects.map(({ name }) => name.replace(/\/{2,}/g, "/").replace(/^\/|\/$/g, ""));
  const extra = [...draw.some(folded, 3), "other/object", nameOf("of no one/\u240a")]
    .filter((name) => !names.has(name))
    .map((name, index) => ({ ...drawObject(draw, name, index), content: 5_000 + index }));
  const all = [...known, ...extra];
  const held = new Set(holdable([...new Set(all.map(({ name }) => name))], dest));
  return all.filter(({ name }) => held.delete(name));
}

function drawClosed(draw: Draw, names: readonly Name[]): Name[] {
  const folders = [...new Set(names.flatMap(foldersOf))].filter((name) => name !== "must");
  return draw.some([...names.filter((name) => name !== "must/arrive"), ...folders], draw.whole(1, 2));
}

function drawKills(draw: Draw): Kill[] {
  return Array.from({ length: draw.whole(1, 2) }, () => {
    const who = draw.one(["xfer", "agent", "rclone"] as const);
    const signal = who === "xfer" ? draw.one(["SIGKILL", "SIGTERM", "SIGINT"] as const) : "SIGKILL";
    return { afterMs: draw.whole(50, 900), who, signal };
  });
}

/** Faults that pass, and faults of one object that stay; the last kind leaves all others no excuse. */
function drawFaults(
  draw: Draw,
  { source, dest, names }: { source: StoreKind; dest: StoreKind; names: readonly Name[] },
): RoundFault[] {
  const faults: RoundFault[] = [];
  const passing = ["slowdown", "internal-error", "reset"] as const;
  if (source === "s3" && draw.chance(0.6))
    faults.push({ at: "source", kinds: ["GET"], action: draw.one(passing), times: draw.whole(1, 3) });
  if (dest === "s3" && draw.chance(0.6))
    faults.push({ at: "dest", kinds: ["PUT"], action: draw.one(passing), times: draw.whole(1, 3) });
  // Of a name that no URL, no client and no store folds: the rule has to meet the request.
  const reached = names.filter((name) => isPlain(name) && isUtf8(name) && name !== "must/arrive");
  if (reached.length > 0 && draw.chance(0.4)) {
    const name = draw.one(reached);
    if (source === "s3")
      faults.push({
        at: "source",
        kinds: ["GET", "HEAD"],
        action: draw.one(["not-found", "forbidden"]),
        name,
      });
    else if (dest === "s3") faults.push({ at: "dest", kinds: ["PUT"], action: "forbidden", name });
  }
  return faults;
}
