import { expect, test } from "bun:test";
import { root } from "../../../cmd/cli/commands.ts";
import { findCommand } from "../../../cmd/cli/find-command.ts";
import { unknownFlagText, unknownWordText } from "../../../cmd/cli/hints.ts";

test.each<[string, object]>([
  ["run --json", { name: "xfer run", rest: ["--json"] }],
  ["manifest build -h", { name: "xfer manifest build", asks: "help" }],
  ["manifest build --out x --help-all", { name: "xfer manifest build", asks: "help-all" }],
  ["run --rclone-flags --help", { name: "xfer run", rest: ["--rclone-flags", "--help"], asks: undefined }],
  ["run -- --help", { name: "xfer run", rest: ["--", "--help"], asks: undefined }],
  ["--help", { name: "xfer", asks: "help" }],
  ["manifest --help-all", { name: "xfer manifest", asks: "help-all" }],
  ["--version", { name: "xfer", asks: "version" }],
  ["manifest --version", { problem: { kind: "unknown", words: ["--version"] } }],
  ["", { name: "xfer", problem: { kind: "missing" } }],
  ["--color frob frob x", { problem: { kind: "unknown", words: ["frob", "x"] } }],
  ["slurm", { name: "xfer slurm", problem: { kind: "missing" } }],
  ["frob", { name: "xfer", problem: { kind: "unknown", words: ["frob"] } }],
  ["constructor", { problem: { kind: "unknown", words: ["constructor"] } }],
  ["-q run --json", { name: "xfer run", rest: ["-q", "--json"] }],
  ["-qv manifest --color never build", { name: "xfer manifest build", rest: ["-qv", "--color", "never"] }],
  ["--color=always run", { name: "xfer run", rest: ["--color=always"] }],
  ["--color", { name: "xfer", problem: { kind: "missing" } }],
])("xfer %s", async (line, found) => {
  const { name, rest, asks, problem } = await findCommand(root, line.split(" ").filter(Boolean));
  expect({ name, rest, asks, problem }).toMatchObject(found);
});

test.each([
  ["submit --run-dir run", 'unknown command "submit" after "xfer": did you mean xfer slurm submit?'],
  ["build manifest", 'unknown command "build" after "xfer": did you mean xfer manifest build?'],
  ["slurm rendr", 'unknown command "rendr" after "xfer slurm": did you mean xfer slurm render?'],
  ["slurm frob", 'unknown command "frob" after "xfer slurm": it has render, submit'],
  [
    "--token=secret",
    'unknown flag "--token" after "xfer": it has run, status, wait, verify, manifest, slurm, skills, cluster, rclone-config, agent, stage, pull, help, man, completion, version',
  ],
  ["--executor=local", 'unknown flag "--executor" after "xfer": it is a flag of xfer run and xfer verify'],
  ["--executor local", 'unknown flag "--executor" after "xfer": it is a flag of xfer run and xfer verify'],
])("xfer %s is told what it may mean", async (line, said) => {
  const found = await findCommand(root, line.split(" "));
  expect(await unknownWordText(root, found, found.rest)).toBe(said);
});

test.each([
  ["run", "--soruce", ["--soruce", "a"], "unknown flag --soruce: did you mean --source?"],
  ["run", "-s", ["-source", "a"], "unknown flag -source: did you mean --source?"],
  ["run", "-z", ["-z"], "unknown flag -z"],
  ["agent", "--mem", ["--mem", "1G"], "unknown flag --mem: it is a flag of xfer run and xfer slurm render"],
])("xfer %s: the flag %s of %p is told what it may mean", async (name, flag, words, said) => {
  const { command } = await findCommand(root, [name]);
  expect(await unknownFlagText(root, command, flag, words)).toBe(said);
});
