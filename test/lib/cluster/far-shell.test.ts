import { describe, expect, test } from "bun:test";
import { FramedOutput, farCommand, framedScript } from "../../../lib/cluster/far-shell.ts";

const shells = ["sh", "bash", "zsh", "csh", "tcsh", "fish"].filter((shell) => Bun.which(shell));

describe.each(shells)("a login shell that is %s", (shell) => {
  test.each([
    ["a quote", `printf '%s' "it's"`, "it's"],
    ["what csh takes for history", `printf '%s' 'a!b !! !x'`, "a!b !! !x"],
    ["backslashes", `printf '%s' 'a\\b\\\\c\\'`, "a\\b\\\\c\\"],
    ["lines", `for i in 1 2\ndo\n  printf '%s\\n' "$i"\ndone`, "1\n2\n"],
    ["a variable and a command", `X='a b'; printf '%s' "$X$(printf c)"`, "a bc"],
    ["no ASCII", `printf '%s' 'größe ☃ 𝄞'`, "größe ☃ 𝄞"],
    ["stars and braces", `printf '%s' '*{a,b}~[x]?<>|&;#^'`, "*{a,b}~[x]?<>|&;#^"],
    ["percent signs", `printf '%s' '%s %b %%'`, "%s %b %%"],
  ])("hands %s on as it is", (_, script, expected) => {
    const result = Bun.spawnSync([shell, "-c", farCommand(script)]);
    expect(result.stderr.toString()).toBe("");
    expect(result.stdout.toString()).toBe(expected);
  });
});

test("a script finds its standard input untouched", () => {
  const result = Bun.spawnSync(["sh", "-c", farCommand("cat")], { stdin: Buffer.from("a\nb") });
  expect(result.stdout.toString()).toBe("a\nb");
});

describe("output between two marks", () => {
  const read = async (chunks: readonly string[]) => {
    let text = "";
    const framed = new FramedOutput("MARK", (bytes) => {
      text += Buffer.from(bytes).toString();
    });
    for (const chunk of chunks) await framed.add(Buffer.from(chunk));
    return { text, noise: framed.noise, code: framed.code, hasBegun: framed.hasBegun };
  };
  const whole = "Welcome!\nMARK\nfirst\nMARK is a word here\nlast\nMARK 3\n";

  const expected = { text: "first\nMARK is a word here\nlast", noise: "Welcome!\n", code: 3, hasBegun: true };

  test.each([
    ["at once", [whole]],
    ["byte by byte", [...whole]],
    ...Array.from({ length: whole.length - 1 }, (_, i): [string, string[]] => [
      `in two parts, ${i + 1} bytes first`,
      [whole.slice(0, i + 1), whole.slice(i + 1)],
    ]),
  ])("is handed on without what came before and after, %s", async (_, chunks) => {
    expect(await read(chunks)).toEqual(expected);
  });

  test.each([
    [
      "nothing but a banner",
      "Welcome!\n",
      { text: "", noise: "Welcome!\n", code: undefined, hasBegun: false },
    ],
    ["an end that is missing", "MARK\nabc", { text: "abc", noise: "", code: undefined, hasBegun: true }],
    ["an end that is torn", "MARK\nabc\nMARK 1", { text: "abc", noise: "", code: undefined, hasBegun: true }],
    ["no output", "MARK\n\nMARK 0\n", { text: "", noise: "", code: 0, hasBegun: true }],
  ])("tells %s", async (_, chunk, result) => {
    expect(await read([chunk])).toEqual(result);
  });
});

test("the exit code of a script comes with both outputs", () => {
  const script = framedScript("echo out; echo err >&2; exit 7", "MARK-1");
  const result = Bun.spawnSync(["sh", "-c", farCommand(script)]);
  expect(result.stdout.toString()).toBe("MARK-1\nout\n\nMARK-1 7\n");
  expect(result.stderr.toString()).toBe("MARK-1\nerr\n\nMARK-1 7\n");
});
