import { describe, expect, test } from "bun:test";
import { runCommand } from "citty";
import { command, group } from "../../../cmd/cli/command.ts";
import { flag } from "../../../cmd/flags/make.ts";

const about = { group: "what", description: "something" } as const;

/** A command that gives back what it gets. */
function echo(): { command: ReturnType<typeof command>; got: object[] } {
  const got: object[] = [];
  const made = command({
    name: "xfer echo",
    description: "Gives back what it gets",
    flags: { size: flag.whole(1, 9, { ...about, default: 4 }), name: flag.text(about) },
    async run(options) {
      got.push(options);
      return options.size;
    },
  });
  return { command: made, got };
}

describe("a command that citty runs", () => {
  test("gets the values of its own flags and of those of every command, and its exit code is taken", async () => {
    const { command: made, got } = echo();
    const { result } = await runCommand(made, { rawArgs: ["--size=7", "--quiet"] });
    expect(result).toBe(7);
    expect(got).toEqual([{ size: 7, name: undefined, quiet: true, verbose: false, color: "auto" }]);
  });

  test.each([
    [["--size=0"], '--size: must be at least 1, not "0"'],
    [["--name="], '--name: must not be empty, not ""'],
    [["--color=red"], '--color: must be one of auto, always, never, not "red"'],
  ])("does not run with %j", async (rawArgs, message) => {
    const { command: made, got } = echo();
    await expect(runCommand(made, { rawArgs })).rejects.toThrow(new Error(message));
    expect(got).toEqual([]);
  });

  test("is declared to those who show it", () => {
    const { spec, meta } = echo().command;
    expect(meta).toEqual({ name: "xfer echo", description: "Gives back what it gets" });
    expect(Object.keys(spec.flags)).toEqual(["size", "name"]);
  });
});

test("a group reads a command when it is asked for, and no other", async () => {
  const read: string[] = [];
  const { command: made } = echo();
  const load = (name: string) => async () => {
    read.push(name);
    return { default: made };
  };
  const all = group(
    { name: "xfer all", description: "Some commands" },
    { one: load("one"), two: load("two") },
  );
  expect(read).toEqual([]);
  const commands = all.subCommands as Record<string, () => Promise<unknown>>;
  expect(Object.keys(commands)).toEqual(["one", "two"]);
  expect(await commands.two?.()).toBe(made);
  expect(read).toEqual(["two"]);
});
