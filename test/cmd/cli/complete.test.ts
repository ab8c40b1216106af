import { expect, test } from "bun:test";
import type { CommandSpec } from "../../../cmd/cli/command.ts";
import { complete, completionLines, joinBashWords, withoutStart } from "../../../cmd/cli/complete.ts";
import type { Flags } from "../../../cmd/flags/flag.ts";
import { flag } from "../../../cmd/flags/make.ts";
import { sample } from "./sample-tree.ts";

const quiet = ["--quiet", "--verbose", "--color"];
const help = ["--help", "--help-all"];

test.each<[string[], string[]]>([
  [[""], ["run", "manifest", "slurm", "completion", "help"]],
  [["r"], ["run"]],
  [["-"], ["--help"]],
  [
    ["manifest", ""],
    ["build", "shard"],
  ],
  [["manifest", "frob", ""], []],
  [
    ["run", ""],
    ["--source", "--dest", "--conf", "--json", ...help],
  ],
  [
    ["run", "--"],
    [
      "--source",
      "--dest",
      "--executor",
      "--fast-list",
      "--no-fast-list",
      "--conf",
      "--level",
      "--json",
      ...quiet,
      ...help,
    ],
  ],
  [["run", "--no"], ["--no-fast-list"]],
  [
    ["run", "--source", "a", "--json", ""],
    ["--dest", "--conf", ...help],
  ],
  [["run", "--source=a", "--so"], []],
  [["run", "--rclone-conf", "x", "--con"], []],
  [
    ["run", "--executor", ""],
    ["slurm", "local"],
  ],
  [["run", "--executor", "l"], ["local"]],
  [["run", "--executor=l"], ["--executor=local"]],
  [
    ["run", "--color", "a"],
    ["auto", "always"],
  ],
  [["run", "--json=x"], []],
  [["run", "--frob=x"], []],
  [
    ["completion", ""],
    ["bash", "zsh"],
  ],
  [["completion", "z"], ["zsh"]],
  [["completion", "bash", ""], help],
  [
    ["help", ""],
    ["run", "manifest", "slurm", "completion", "help"],
  ],
  [["help", "manifest", "b"], ["build"]],
  [
    ["help", "manifest", "build", ""],
    ["--all", ...help],
  ],
])("%p may go on with %p", (words, candidates) => {
  const found = complete(sample, words);
  expect(found.candidates.map(({ word }) => word)).toEqual(candidates);
  expect(found.names).toBeUndefined();
});

test.each<[string[], "file" | "folder"]>([
  [["run", "--conf", ""], "file"],
  [["run", "--rclone-conf", "/e"], "file"],
  [["run", "--conf=/e"], "file"],
  [["manifest", "build", "-o", ""], "file"],
  [["slurm", "submit", "--run-dir", "r"], "folder"],
])("%p goes on with the name of a %s", (words, names) => {
  expect(complete(sample, words)).toEqual({ candidates: [], names });
});

test("a candidate says what it means", () => {
  const { candidates } = complete(sample, ["run", "--co"]);
  expect(candidates).toContainEqual({ word: "--conf", says: "FILE: the configuration" });
  expect(completionLines({ candidates: candidates.slice(0, 1) })).toBe(
    "--conf\tFILE: the configuration\n:words\n",
  );
  expect(completionLines({ candidates: [], names: "file" })).toBe(":file\n");
});

test.each<[string[], string[], string]>([
  [["run", ""], ["run", ""], ""],
  [["run", "--executor", "=", "l"], ["run", "--executor=l"], "--executor="],
  [["run", "--executor", "="], ["run", "--executor="], "--executor="],
  [["run", "--source", "s3", ":", "b"], ["run", "--source", "s3:b"], "s3:"],
  [["run", "--source", "s3", ":"], ["run", "--source", "s3:"], "s3:"],
  [["run", "--source", "=", "s3", ":", "b", "--d"], ["run", "--source=s3:b", "--d"], ""],
])("bash's words %p are %p, of which %p is kept", (words, joined, typed) => {
  expect(joinBashWords(words)).toEqual({ words: joined, typed });
});

test("what the shell keeps is not offered again", () => {
  const found = withoutStart("--executor=", complete(sample, ["run", "--executor=l"]));
  expect(found.candidates).toEqual([{ word: "local", says: "" }]);
});

test("what is known only when it is asked for is offered then, and each once", () => {
  let known = ["one", "two"];
  const spec = {
    name: "xfer probe",
    description: "Looks at places",
    operands: { usage: "[NAME...]", values: () => known, most: 9 },
    flags: {
      place: flag.text({ group: "what", common: true, description: "a place", offers: () => known }),
      mount: flag.list({ group: "what", common: true, description: "mounts" }),
    },
    run: async () => {},
  };
  const root = {
    spec: sample.spec,
    children: [{ spec: spec as unknown as CommandSpec<Flags>, children: [] }],
  };
  const words = (...line: string[]) => complete(root, line).candidates.map(({ word }) => word);
  expect(words("probe", "")).toEqual(["one", "two"]);
  expect(words("probe", "one", "")).toEqual(["two"]);
  expect(words("probe", "--place", "t")).toEqual(["two"]);
  known = ["three"];
  expect(words("probe", "")).toEqual(["three"]);
  expect(words("probe", "--mount", "a:=/a", "--m")).toEqual(["--mount"]);
});
