import { describe, expect, test } from "bun:test";
import type { NamedObject, RunAccount } from "./evidence.ts";
import { type Name, nameOf } from "./names.ts";
import { type Evidence, type Violation, violationsOf } from "./oracle.ts";
import type { RoundObject, Scenario } from "./scenario.ts";
import { bodyOf, type Contents, hashOf } from "./stores.ts";

const object = (name: Name, more: Partial<RoundObject> = {}): RoundObject => ({
  name,
  size: 7,
  content: 1,
  mtimeMs: 0,
  ...more,
});

const round = (more: Partial<Scenario> = {}): Scenario => ({
  seed: 1,
  source: "s3",
  dest: "s3",
  rclone: "debian",
  objects: [object("a"), object("b")],
  present: [],
  closed: [],
  shards: 1,
  strategy: "bytes",
  flags: [],
  starts: [],
  faults: [],
  ...more,
});

const holding = (objects: readonly RoundObject[]): Contents =>
  new Map(objects.map((one) => [one.name, hashOf(bodyOf(one))]));

const account = (more: Partial<RunAccount> = {}): RunAccount => ({
  listed: 2,
  copied: 2,
  unchanged: 0,
  failed: 0,
  unfinished: 0,
  untransferable: 0,
  ...more,
});

/** A round that went well, but for `more`. */
function evidence(scenario: Scenario, more: Partial<Evidence> = {}): Evidence {
  const before = holding(scenario.present);
  const source = holding(scenario.objects);
  return {
    code: 0,
    stderr: "",
    account: account({ listed: source.size, copied: source.size }),
    files: { named: [], torn: [] },
    source,
    before,
    dest: new Map([...before, ...source]),
    left: [],
    hung: false,
    ...more,
  };
}

const files = (...named: NamedObject[]) => ({ named, torn: [] });
const failed = (shown: string): NamedObject => ({ shown, isFolder: false, by: "fail" });
const left = (shown: string, isFolder = false): NamedObject => ({ shown, isFolder, by: "untransferable" });

function rules(scenario: Scenario, more: Partial<Evidence>): Violation["rule"][] {
  return [...new Set(violationsOf(scenario, evidence(scenario, more)).map(({ rule }) => rule))].sort();
}

describe("what the oracle calls broken", () => {
  const a = object("a");
  const awkward = round({ objects: [object(nameOf("x\u240a")), object("x\n"), a] });
  const onlyA = holding([a]);
  const three = account({ listed: 3, copied: 1, untransferable: 2 });
  const present = [object("a", { content: 9, mtimeMs: 5 })];
  const table: [what: string, scenario: Scenario, more: Partial<Evidence>, rules: Violation["rule"][]][] = [
    ["nothing, when all is there", round(), {}, []],
    ["exit code 0 without an object", round(), { dest: onlyA }, ["false done", "no neighbours' fault"]],
    [
      "exit code 0 with other bytes",
      round(),
      { dest: holding([a, object("b", { content: 2 })]) },
      ["false done", "no neighbours' fault"],
    ],
    [
      "an object that nothing names",
      awkward,
      { code: 1, dest: onlyA, account: three, files: files(left("x\u240a")) },
      ["unnamed"],
    ],
    [
      "nothing, when each is named in its shown form",
      awkward,
      { code: 1, dest: onlyA, account: three, files: files(left("x\u201b\u240a"), failed("x\u240a")) },
      [],
    ],
    [
      "one object that its shard and the verification name stands for one",
      awkward,
      {
        code: 1,
        dest: onlyA,
        account: account({ listed: 3, copied: 1, failed: 2 }),
        files: files(failed("x\u240a"), { ...failed("x\u240a"), by: "verify" }),
      },
      ["unnamed"],
    ],
    [
      "nothing below a folder that is named",
      round({ objects: [a, object("f /1"), object("f /2")] }),
      {
        code: 1,
        dest: onlyA,
        account: account({ copied: 1, untransferable: 1 }),
        files: files(left("f ", true)),
      },
      [],
    ],
    [
      "a plain object that is held up, though it is named",
      round(),
      { code: 1, dest: onlyA, account: account({ copied: 1, failed: 1 }), files: files(failed("b")) },
      ["no neighbours' fault"],
    ],
    [
      "not one that has a fault of its own",
      round({ faults: [{ at: "source", kinds: ["GET"], action: "forbidden", name: "b" }] }),
      { code: 1, dest: onlyA, account: account({ copied: 1, failed: 1 }), files: files(failed("b")) },
      [],
    ],
    [
      "not a file in the place of a folder",
      round({ dest: "posix", objects: [a, object("a/b")] }),
      { code: 1, dest: onlyA, account: account({ copied: 1, failed: 1 }), files: files(failed("a/b")) },
      [],
    ],
    ["an account that does not add up", round(), { account: account({ copied: 1 }) }, ["account"]],
    ["an account of fewer objects", round(), { account: account({ listed: 1, copied: 1 }) }, ["account"]],
    ["exit code 0 with something left", round(), { account: account({ copied: 1, failed: 1 }) }, ["account"]],
    ["no account", round(), { account: undefined }, ["account"]],
    [
      "nothing of an empty folder marker",
      round({ objects: [a, object("f/", { size: 0 })] }),
      {
        dest: onlyA,
        account: account({ listed: 1, copied: 1 }),
      },
      [],
    ],
    [
      "an object of others that is gone",
      round({ present: [object("other")] }),
      { dest: holding([a, object("b")]) },
      ["not its own"],
    ],
    [
      "a newer object that --update protects",
      round({ present, flags: ["--update=true"] }),
      {},
      ["not its own"],
    ],
    [
      "nothing, when it is kept",
      round({ present, flags: ["-uv"] }),
      { dest: holding([...present, object("b")]) },
      [],
    ],
    [
      "an object that is nobody's",
      round(),
      { dest: holding([a, object("b"), object("c")]) },
      ["left behind"],
    ],
    [
      "not what a killed rclone leaves beside it",
      round(),
      { dest: holding([a, object("b"), object("b.0123abcd.partial")]) },
      [],
    ],
    ["a process that is left", round(), { left: ["rclone copy"] }, ["left behind"]],
    ["a torn state file", round(), { files: { named: [], torn: ["x.done"] } }, ["left behind"]],
    ["a start without an end", round(), { hung: true }, ["hangs"]],
  ];
  for (const [what, scenario, more, expected] of table) {
    test(what, () => expect(rules(scenario, more)).toEqual([...expected].sort()));
  }
});
