import { expect, test } from "bun:test";
import { closest, commandMeant, flagMeant, typingErrors } from "../../../cmd/cli/did-you-mean.ts";
import { findTree } from "../../../cmd/cli/tree.ts";
import { sample } from "./sample-tree.ts";

test.each([
  ["", "", 0],
  ["same", "same", 0],
  ["soruce", "source", 1],
  ["sorce", "source", 1],
  ["sourcee", "source", 1],
  ["sourde", "source", 1],
  ["", "abc", 3],
  ["kitten", "sitting", 3],
  ["ca", "abc", 3],
])("%p becomes %p by %d typing errors", (a, b, errors) => {
  expect(typingErrors(a, b)).toBe(errors);
  expect(typingErrors(b, a)).toBe(errors);
});

test.each([
  ["soruce", "source"],
  ["SOURCE", "source"],
  ["run_dir", "run-dir"],
  ["exec", "executor"],
  ["dir", "run-dir"],
  ["num", undefined],
  ["x", undefined],
  ["frobnicate", undefined],
])("%p is most like %p", (word, meant) => {
  expect(closest(word, ["source", "dest", "run-dir", "executor", "num-shards", "num-parts"])).toBe(meant);
});

test.each([
  ["rnu", "xfer run"],
  ["manifest biuld", "xfer manifest build"],
  ["build", "xfer manifest build"],
  ["submit", "xfer slurm submit"],
  ["sumbit", "xfer slurm submit"],
  ["manifest submit", "xfer slurm submit"],
  ["build manifest", "xfer manifest build"],
  ["manifest-build", "xfer manifest build"],
  ["manifest:shard", "xfer manifest shard"],
  ["manifests shard", "xfer manifest"],
  ["frob", undefined],
  ["constructor", undefined],
])("xfer %s: %p was meant", (words, meant) => expect(commandMeant(sample, words.split(" "))).toBe(meant));

test.each([
  ["run", "--soruce", "did you mean --source?"],
  ["run", "--executer", "did you mean --executor?"],
  ["run", "--no-fastlist", "did you mean --no-fast-list?"],
  ["run", "--rclone-con", "did you mean --rclone-conf?"],
  ["run", "-source", "did you mean --source?"],
  ["run", "--mem", "it is a flag of xfer slurm render"],
  ["run", "--run-dir", "it is a flag of xfer slurm render and xfer slurm submit"],
  ["manifest build", "--json", "it is a flag of xfer run, xfer manifest shard and xfer slurm submit"],
  ["manifest build", "--quite", "did you mean --quiet?"],
  ["manifest build", "--hepl", "did you mean --help?"],
  ["manifest build", "--frobnicate", undefined],
  ["manifest build", "-z", undefined],
])("xfer %s %s: %p", (words, flag, said) => {
  const command = findTree(sample, words.split(" "));
  expect(command && flagMeant(sample, command, flag)).toBe(said);
});
