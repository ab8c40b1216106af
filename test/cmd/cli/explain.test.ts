import { describe, expect, test } from "bun:test";
import { canonicalArguments } from "../../../cmd/cli/arguments.ts";
import { explained } from "../../../cmd/cli/explain.ts";
import { givenIn } from "../../../cmd/cli/given.ts";
import type { Flags } from "../../../cmd/flags/flag.ts";
import { explainedText } from "../../../cmd/view/explain.ts";
import { allCommands } from "../command-line.ts";

const commands = await allCommands();

test("the commands that can be handed over to a cluster take --explain, and no others", () => {
  const taking = [...commands].filter(([, { spec }]) => spec.flags.explain).map(([name]) => name);
  expect(taking).toEqual(
    expect.arrayContaining(["run", "manifest build", "slurm render", "slurm submit", "verify"]),
  );
  for (const other of ["agent", "version", "cluster add", "rclone-config check"])
    expect(taking).not.toContain(other);
});

test("what is given, with the last value of each", () => {
  expect([...givenIn(["--a=1", "--b", "--no-c", "--a=2=3", "--d=x\ny"])]).toEqual([
    ...([
      ["a", "2=3"],
      ["b", "on"],
      ["c", "off"],
      ["d", "x\ny"],
    ] as [string, string][]),
  ]);
});

test("without --explain nothing is printed, and the command is to be run", async () => {
  for (const [, { spec, args }] of commands) {
    expect(await explained(spec, []), JSON.stringify(args)).toBe(false);
  }
});

describe("what --explain prints", () => {
  test("as a table: what was given first, then the profile's", () => {
    const profile = { name: "weka", host: "me@login", run_root: "~/xfer-runs" };
    const text = explainedText("xfer run", profile, [
      { flag: "mem", value: "8G", from: "default" },
      { flag: "runtime", value: undefined, from: "default" },
      { flag: "partition", value: "p", from: "profile" },
      { flag: "source", value: "a:b", from: "flag" },
    ]);
    expect(text).toBe(
      "xfer run at weka (me@login), below ~/xfer-runs\n" +
        "  flag         from     value\n" +
        "  --source     flag     a:b\n" +
        "  --partition  profile  p\n" +
        "  --mem        default  8G\n" +
        "  --runtime    default  -\n",
    );
    expect(explainedText("xfer run", undefined, [])).toStartWith("xfer run on this machine\n");
  });

  test.each([
    ["--source", "s3,secret_access_key=Secret:b"],
    ["--source", ":s3,session_token=Secret:b"],
    ["--rclone-flags", "--s3-secret-access-key Secret"],
    ["--rclone-flags", "--x --password=Secret"],
    ["--rclone-image", "docker://me:Secret@host/x"],
  ])("hides what %s %s may hold", async (flag, value) => {
    const command = commands.get("run");
    if (!command) throw new Error("there is no run");
    const rawArgs = canonicalArguments(command.args as Flags, [flag, value, "--explain", "--json"]);
    const written: string[] = [];
    const write = process.stdout.write;
    process.stdout.write = ((text: string, done: () => void) => {
      written.push(text);
      done();
      return true;
    }) as typeof write;
    try {
      expect(await explained(command.spec, rawArgs)).toBe(true);
    } finally {
      process.stdout.write = write;
    }
    const { flags } = JSON.parse(written.join("")) as {
      flags: { flag: string; value: string; from: string }[];
    };
    expect(flags.find((one) => `--${one.flag}` === flag)).toMatchObject({
      from: "flag",
      value: "(not shown)",
    });
    expect(written.join("")).not.toContain("Secret");
  });
});
