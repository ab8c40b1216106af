import { describe, expect, test } from "bun:test";
import { isValueOf } from "../../../cmd/cli/arguments.ts";
import type { Command, Example } from "../../../cmd/cli/command.ts";
import { type Flag, type FlagGroup, flagGroups } from "../../../cmd/flags/flag.ts";
import { splitWords } from "../../../lib/system/shell-words.ts";
import { allCommands, optionsGiven } from "../command-line.ts";

const commands = [...(await allCommands())];
const flags = commands.flatMap(([name, { spec }]) =>
  Object.entries(spec.flags).map(([flag, def]): [string, string, Flag] => [name, flag, def]),
);

describe.each(flags)("%s: --%s", (_command, name, flag) => {
  test("says in a few words what it does; its default and its values are known beside them", () => {
    const groups = Object.keys(flagGroups) as FlagGroup[];
    expect(groups).toContain(flag.group);
    expect(flag.description).not.toMatch(/\.$|\(default|^$/);
    expect(flag.description.length).toBeLessThan(100);
    if (flag.type === "boolean") return;
    const hint = flag.valueHint ?? "";
    expect(hint).toMatch(/^[A-Z]+$|\|/);
    expect(flag.values?.join("|") ?? hint).toBe(hint);
    // A file or a folder is completed.
    if (hint === "FILE") expect(flag.completes ?? name).toBe(/-in-container$/.test(name) ? name : "file");
    if (hint === "DIR") expect(flag.completes).toBe("folder");
    // What is made of another program's flags may look like any flag.
    expect(isValueOf(`--${name}`)).toBe(/^(?:FLAGS|WORDS)$/.test(hint));
  });
});

describe.each(commands)("xfer %s", (name, command: Command) => {
  test("says in one line what it does, and has examples that are right", async () => {
    const { spec } = command;
    expect(spec.name).toBe(`xfer ${name}`);
    expect(spec.description).toMatch(/^[A-Z].{10,90}[^.]$/);
    const examples: readonly Example[] = spec.examples ?? [];
    expect(examples.length > 0 || spec.isInternal).toBe(true);
    for (const { line, says } of examples) {
      expect(says).toMatch(/^[A-Z\d].*[^.]$/);
      // What a shell does with a command's output is the shell's.
      const call = line.replace(/^source <\((.*)\)$/, "$1").replace(/ \| .*$/, "");
      const words = splitWords(call, "line");
      const own = spec.name.split(" ");
      expect(words.slice(0, own.length)).toEqual(own);
      await optionsGiven(command, call.slice(spec.name.length));
    }
  });
});
