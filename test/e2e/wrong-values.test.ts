import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ArgsDef, CommandDef } from "citty";
import { root } from "../../cmd/cli/commands.ts";
import { runCli } from "../../cmd/cli/run-cli.ts";
import { namedClusterFlag } from "../../cmd/flags/cluster.ts";
import { lookedAtRunDirFlag } from "../../cmd/flags/operate.ts";
import { hostileManifest } from "../data/hostile-names.ts";
import { temporaryDirectory, timeoutMs, xfer, xferUnderModes } from "../stage/harness.ts";

// Every flag of every command, as the commands declare them, with values that are wrong for what it takes.

// biome-ignore lint/suspicious/noExplicitAny: a command of any arguments, as citty declares it
type Command = CommandDef<any>;

interface Leaf {
  words: string[];
  args: ArgsDef;
}

async function leavesOf(command: Command, words: string[]): Promise<Leaf[]> {
  const children = (await command.subCommands) as Record<string, () => Promise<Command>> | undefined;
  if (!children) return [{ words, args: ((await command.args) ?? {}) as ArgsDef }];
  const below = await Promise.all(
    Object.entries(children).map(async ([name, load]) => leavesOf(await load(), [...words, name])),
  );
  return below.flat();
}

/** Commands that tell of xfer itself, and do nothing to any data; of the last, another xfer writes the lines. */
const ofItself = new Set(["help", "man", "completion", "version", "complete", "far"]);
const leaves = (await leavesOf(root, [])).filter(({ words: [first = ""] }) => !ofItself.has(first));
const scene = temporaryDirectory();
const at = (name: string) => join(scene.path, name);
const before = process.cwd();
const configHome = process.env.XDG_CONFIG_HOME;

beforeAll(() => {
  copyFileSync(hostileManifest, at("m.jsonl"));
  mkdirSync(at("folder"));
  writeFileSync(at("text"), "words\n");
  writeFileSync(at("empty"), "");
  writeFileSync(at("binary"), Buffer.from([0, 1, 2, 0xff, 0xfe, 10, 0, 0x1f, 0x8b]));
  process.chdir(scene.path);
  process.env.XDG_CONFIG_HOME = at("config");
  process.env.XFER_SSH = "false";
  mkdirSync(at("config/xfer/clusters"), { recursive: true });
  writeFileSync(
    at("config/xfer/clusters/known.json"),
    JSON.stringify({ schema: "xfer.cluster.v1", name: "known", host: "none.invalid", run_root: "/none" }),
  );
});

afterAll(() => {
  process.chdir(before);
  if (configHome === undefined) delete process.env.XDG_CONFIG_HOME;
  else process.env.XDG_CONFIG_HOME = configHome;
  scene[Symbol.dispose]();
});

/**
 * A value for each flag that must be given. Each is right in itself, but what it names is not there: with nothing else
 * wrong a command ends soon all the same, having done nothing.
 */
const valid: Record<string, string> = {
  in: "none.jsonl",
  out: "new.jsonl",
  outdir: "new",
  source: "/none/source",
  dest: "/none/dest",
  "run-dir": "none",
  "parts-dir": "none",
  "num-shards": "2",
  format: "lsf",
  "min-rate": "1Gbps",
  "max-rate": "2Gbps",
  "agent-path": "/none/xfer",
  "source-root": "/none/other",
  cluster: "known",
  remotes: "none",
  host: "none",
  from: "none.conf",
};
/** Flags that need not be given, and without which some command ends for another reason. */
const wanted = new Set(["source", "dest", "agent-path", "source-root", "from"]);

/** The words that commands need beside their flags. */
const operands: Record<string, string[]> = {
  "cluster add": ["none"],
  "cluster show": ["none"],
  "cluster edit": ["known"],
  "cluster remove": ["none"],
  "cluster probe": ["none"],
  "cluster clean": ["none"],
  "skills install": ["text/columns"],
};
/** Commands with which nothing can be wrong but a word too many. */
const alwaysRight = new Set(["cluster add", "cluster edit", "cluster list", "skills list"]);

/** What a command is given beside the flag that is looked at. */
function baseOf({ args, words: own }: Leaf, without: string): string[] {
  const given = Object.entries(args).filter(
    ([name, def]) =>
      name !== without &&
      def.type === "string" &&
      (def.required || wanted.has(name) || def === namedClusterFlag || def === lookedAtRunDirFlag),
  );
  const words = given.flatMap(([name]) => {
    const value = valid[name];
    if (value === undefined) throw new Error(`the test knows no valid value for --${name}`);
    return [`--${name}=${value}`];
  });
  words.push(...(operands[own.join(" ")] ?? []));
  return "runtime" in args && without !== "runtime" ? [...words, "--runtime=host"] : words;
}

/** Runs a command line in this process. */
async function ran(words: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const written = { stdout: "", stderr: "" };
  const streams = ["stdout", "stderr"] as const;
  const writes = streams.map((name) => process[name].write);
  for (const name of streams) {
    process[name].write = ((data: string | Uint8Array, ...rest: unknown[]) => {
      written[name] += typeof data === "string" ? data : new TextDecoder().decode(data);
      for (const done of rest) if (typeof done === "function") done(null);
      return true;
    }) as typeof process.stdout.write;
  }
  try {
    return { code: await runCli(root, words), ...written };
  } finally {
    for (const [i, name] of streams.entries()) process[name].write = writes[i] as typeof process.stdout.write;
  }
}

const notForPeople =
  /undefined|\bnull\b|NaN|\[object|Infinity|^\s+at |\$bunfs|=>|function|internal error|valibot|Invalid (?:type|key)/m;

/** The command line is refused, or fails, with a few lines of which one names what is wrong. */
function expectTold(
  result: { code: number; stdout: string; stderr: string },
  names: RegExp,
  words: string[],
): void {
  const { code, stdout, stderr } = result;
  const lines = stderr.trimEnd().split("\n");
  const about = words.join(" ");
  expect([about, code === 1 || code === 2 ? "1 or 2" : code]).toEqual([about, "1 or 2"]);
  expect([about, stdout]).toEqual([about, ""]);
  expect([about, lines.at(-1)]).toEqual([about, expect.stringMatching(/^xfer: /)]);
  // A warning may name it, before the line that ends the command.
  expect([about, stderr]).toEqual([about, expect.stringMatching(names)]);
  expect([about, stderr]).toEqual([about, expect.not.stringMatching(notForPeople)]);
  expect(lines.length).toBeLessThan(4);
}

const numbers = ["", "abc", "-1", "1.5", "1e99", "99999999999999999999", "0x10", " 7", "\u0000"];
const amounts = ["", "abc", "-1", "1e99", "9".repeat(30), "1 potato"];
const words = ["", "abc", "0", "-1", "\n"];

/** [what a flag's hint says that it takes, values that are none of that] */
const kinds: [RegExp, readonly string[]][] = [
  [/^(?:N|SECONDS)$/, numbers],
  [/^SIZE$/, amounts],
  [/^RATE$/, [...amounts, "100", "0Gbps", "5 lightyears/s"]],
  [/^[\w-]+(?:\|[\w-]+)+$/, words],
  [/^ROOT$/, ["", "a\nb", "s3,access_key_id=x:b", ":s3,secret_access_key=x:b", "a,b:c", "\u007f"]],
  [/^ID$/, ["", "a b", "../x", "x".repeat(101)]],
  [/./, [""]],
];

/** Flags whose values are another's words: grammar is that one's, and an empty one is none. */
const othersWords = new Set(["WORDS", "FLAGS"]);
/** Of the flags that take an amount or a word, those for which Slurm's own grammar counts: xfer's check of them is its own test. */
const slurms = new Set(["mem", "time-limit"]);

describe.each(leaves.map((leaf) => [leaf.words.join(" "), leaf] as const))("xfer %s", (name, leaf) => {
  const flags = Object.entries(leaf.args).flatMap(([name, def]) =>
    def.type === "string" ? [[name, def.valueHint ?? ""] as const] : [],
  );

  test.each(flags)(
    "--%s %s",
    async (flag, hint) => {
      if (othersWords.has(hint))
        return expectTold(
          await ran([...leaf.words, ...baseOf(leaf, flag), `--${flag}='`]),
          new RegExp(`--${flag}`),
          [flag, "'"],
        );
      const kind = slurms.has(flag) ? ([/./, [""]] as const) : kinds.find(([pattern]) => pattern.test(hint));
      // An empty value removes a field of a profile.
      const removes = leaf.words.join(" ") === "cluster edit" && flag !== "host";
      for (const value of kind?.[1].filter((value) => !removes || value !== "") ?? []) {
        const line = [...leaf.words, ...baseOf(leaf, flag), `--${flag}=${value}`];
        expectTold(await ran(line), new RegExp(`--${flag}\\b`), line);
      }
    },
    timeoutMs,
  );

  test.each(flags)("--%s with nothing after it", async (flag) => {
    const line = [...leaf.words, ...baseOf(leaf, flag), `--${flag}`];
    expectTold(
      await ran(line),
      new RegExp(`--${flag} needs a value \\(see xfer ${leaf.words.join(" ")} --help\\)`),
      line,
    );
  });

  const checked = alwaysRight.has(name) ? undefined : test;
  checked?.(
    "its base is right but for what it names, which is told",
    async () => {
      const line = [...leaf.words, ...baseOf(leaf, "")];
      expectTold(await ran(line), /none|columns|text/, line);
    },
    timeoutMs,
  );

  test("a required flag left out, a switch with a value, a word too many", async () => {
    for (const [name, def] of Object.entries(leaf.args)) {
      const line = [...leaf.words, ...baseOf(leaf, name)];
      if (def.type === "boolean") expectTold(await ran([...line, `--${name}=maybe`]), /takes no value/, line);
      else if (def.required) expectTold(await ran(line), new RegExp(`--${name} is missing`), line);
    }
    const line = [...leaf.words, ...baseOf(leaf, ""), "extra"];
    if (name !== "cluster probe") expectTold(await ran(line), /unexpected argument "extra"/, line);
  });
});

/** What may lie where a flag names something to read. */
const wrongInputs = ["none", "folder", "text", "empty", "binary", "text/below"];
/** Flags that name what is read. */
const inputs = new Set(["in", "run-dir", "parts-dir", "rclone-config"]);
/** Where a new file or folder cannot be made. */
const wrongOutputs: Record<string, string[]> = {
  out: ["folder", "text/below"],
  "extra-out": ["folder", "text/below"],
  outdir: ["text", "text/below"],
};

describe.each(leaves.map((leaf) => [leaf.words.join(" "), leaf] as const))(
  "xfer %s: files",
  (_name, leaf) => {
    const readsFiles = Object.keys(leaf.args).filter((name) => inputs.has(name));
    const writesFiles = Object.keys(leaf.args).filter((name) => name in wrongOutputs);
    const isRun = leaf.words[0] === "run";
    const input = "in" in leaf.args && leaf.words.at(-1) !== "import" ? ["--in=m.jsonl"] : [];

    test.each(readsFiles.filter((name) => !(isRun && name === "run-dir")))(
      "--%s",
      async (flag) => {
        // Of a file that is only read on the compute nodes, only a folder in its place is told.
        // Into a folder, and into one that is not there yet, a run can be pulled.
        const wrong = leaf.words[0] === "pull" ? wrongInputs.slice(2) : wrongInputs;
        const values = flag === "rclone-config" ? ["folder"] : wrong;
        for (const value of values) {
          const line = [...leaf.words, ...baseOf(leaf, flag), `--${flag}=${value}`];
          expectTold(await ran(line), new RegExp(`--${flag}\\b|${value}`), line);
        }
      },
      timeoutMs,
    );

    test.each(writesFiles)(
      "--%s",
      async (flag) => {
        for (const value of wrongOutputs[flag] ?? []) {
          const line = [...leaf.words, ...baseOf(leaf, flag), ...input, `--${flag}=${value}`];
          expectTold(await ran(line), new RegExp(`--${flag}\\b|${value}`), line);
        }
        expect(existsSync(at("none"))).toBe(false);
      },
      timeoutMs,
    );
  },
);

test("the compiled binary says the same, and of a file that may not be read too", async () => {
  writeFileSync(at("secret"), "", { mode: 0 });
  const cwd = scene.path;
  const rates = ["--max-rate", "5Gbps"];
  const [number, unreadable, group] = await Promise.all([
    xfer(["manifest", "estimate", "--in", "m.jsonl", "--min-rate", "100", ...rates], { cwd }),
    xferUnderModes(["manifest", "analyze", "--in", "secret"], { cwd }),
    xfer(["manifest"], { cwd }),
  ]);
  expect(number).toEqual({
    code: 2,
    stdout: "",
    stderr:
      'xfer: --min-rate: must be a rate with its unit, such as 5Gbps, 800Mbps, 200MB/s or 1.5GiB/s, not "100"\n',
  });
  expectTold(unreadable, /secret/, ["secret"]);
  expect(group).toMatchObject({ code: 2, stdout: "" });
  expect(group.stderr).toMatch(
    /^ {2}build .*\n(?:.*\n)*xfer: a command is missing .*\(see xfer manifest --help\)\n$/m,
  );
});
