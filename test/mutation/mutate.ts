import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { equivalents } from "./equivalents.ts";
import { type Mutant, mutantsOf } from "./mutants.ts";

/**
 * `bun run mutate [part of a file's name ...]`: changes each line of agent/ and lib/rclone a little, and runs the unit
 * tests of that folder: a change that no test notices is printed, as is how much of a file no unit test reaches.
 * It works on copies. The exit code is 1 when a mutant survives that test/mutation/equivalents.ts does not name.
 */

const root = join(import.meta.dir, "..", "..");
const folders = ["agent", "lib/rclone"];
/** A mutant that goes round for ever is noticed. */
const limitMs = 30_000;

interface Work {
  file: string;
  mutant: Mutant;
}

/** A copy of the program and its tests, for one mutant at a time. */
function copyTree(temporary: string, number: number): string {
  const copy = join(temporary, String(number));
  mkdirSync(copy);
  const parts = ["agent", "cmd", "lib", "templates", "test", "bunfig.toml", "package.json", "tsconfig.json"];
  for (const part of parts) cpSync(join(root, part), join(copy, part), { recursive: true });
  // Some unit tests start the binary; it stays the program's own, without the mutant.
  for (const part of ["node_modules", "dist"]) symlinkSync(join(root, part), join(copy, part));
  return copy;
}

async function runTests(copy: string, words: readonly string[]): Promise<{ code: number; said: string }> {
  const child = Bun.spawn([process.execPath, "test", ...words], {
    cwd: copy,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: limitMs,
    killSignal: "SIGKILL",
  });
  const [code, out, err] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  return { code, said: out + err };
}

/** Of each file, and of each of its lines that a unit test runs: the test files that do. */
type Reach = Map<string, Map<number, string[]>>;

/** Runs each test file alone and notes the lines that it reaches, the quick ones first. */
async function reachOf(copies: readonly string[]): Promise<Reach> {
  const all = folders.flatMap((folder) =>
    filesIn(join("test", folder)).filter((file) => file.endsWith(".test.ts")),
  );
  const reach: Reach = new Map();
  const seconds = new Map<string, number>();
  await sideBySide(copies, all, async (copy, test) => {
    const begun = performance.now();
    const coverage = ["--coverage", "--coverage-reporter=lcov", "--coverage-dir=coverage"];
    const { code, said } = await runTests(copy, [`./${test}`, ...coverage]);
    if (code !== 0) throw new Error(`${test} fails as it is:\n${said.slice(-3000)}`);
    seconds.set(test, performance.now() - begun);
    let lines = new Map<number, string[]>();
    for (const line of readFileSync(join(copy, "coverage", "lcov.info"), "utf8").split("\n")) {
      const [, file] = /^SF:(.*)$/.exec(line) ?? [];
      const [, number, hits] = /^DA:(\d+),(\d+)/.exec(line) ?? [];
      if (file !== undefined) {
        lines = reach.get(file) ?? new Map();
        reach.set(file, lines);
      } else if (number !== undefined && hits !== "0")
        lines.set(Number(number), [...(lines.get(Number(number)) ?? []), test]);
    }
  });
  const quickFirst = (one: string, other: string) => (seconds.get(one) ?? 0) - (seconds.get(other) ?? 0);
  for (const lines of reach.values()) for (const tests of lines.values()) tests.sort(quickFirst);
  return reach;
}

/** Whether a test of the list fails. */
async function isNoticed(copy: string, tests: readonly string[]): Promise<boolean> {
  for (const test of tests) {
    if ((await runTests(copy, ["--bail", `./${test}`])).code !== 0) return true;
  }
  return false;
}

/** One at a time in each copy. */
async function sideBySide<T>(
  copies: readonly string[],
  items: readonly T[],
  work: (copy: string, item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (copy: string) => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(copy, item);
  };
  await Promise.all(copies.map(worker));
}

function filesIn(folder: string): string[] {
  const names = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
  return names.map((name) => join(folder, name)).sort();
}

function isAccepted({ file, mutant }: Work): boolean {
  return equivalents.some(
    (one) => one.file === file && mutant.from.replace(one.from, () => one.to) === mutant.to,
  );
}

/** How the mutants of a file fared. */
interface Count {
  noticed: number;
  survived: number;
  unreached: number;
}

async function main(): Promise<void> {
  const wanted = process.argv.slice(2);
  const files = folders
    .flatMap(filesIn)
    .filter(
      (file) => file.endsWith(".ts") && (wanted.length === 0 || wanted.some((part) => file.includes(part))),
    );
  const temporary = mkdtempSync(join(tmpdir(), "xfer-mutation-"));
  try {
    const copies = Array.from({ length: availableParallelism() }, (_, number) => copyTree(temporary, number));
    const counts = await runMutants(files, await reachOf(copies), copies);
    for (const [file, { noticed, survived, unreached }] of counts) {
      process.stdout.write(
        `${file}: ${noticed} noticed, ${survived} survived, ${unreached} where no unit test comes\n`,
      );
      if (survived > 0) process.exitCode = 1;
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

async function runMutants(
  files: readonly string[],
  reach: Reach,
  copies: readonly string[],
): Promise<Map<string, Count>> {
  const counts = new Map<string, Count>();
  const work: (Work & { tests: string[]; count: Count })[] = [];
  for (const file of files) {
    const count: Count = { noticed: 0, survived: 0, unreached: 0 };
    counts.set(file, count);
    for (const mutant of mutantsOf(readFileSync(join(root, file), "utf8"))) {
      const tests = reach.get(file)?.get(mutant.line);
      if (tests) work.push({ file, mutant, tests, count });
      else count.unreached++;
    }
  }
  process.stdout.write(`${work.length} mutants\n`);
  await sideBySide(copies, work, async (copy, { file, mutant, tests, count }) => {
    writeFileSync(join(copy, file), mutant.text);
    const noticed = isAccepted({ file, mutant }) || (await isNoticed(copy, tests));
    cpSync(join(root, file), join(copy, file));
    if (noticed) {
      count.noticed++;
      return;
    }
    count.survived++;
    process.stdout.write(`${file}:${mutant.line}\n  - ${mutant.from}\n  + ${mutant.to}\n`);
  });
  return counts;
}

await main();
