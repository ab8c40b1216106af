import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ensureClusterPackages } from "./cluster/packages.ts";
import { limitMs } from "./setup/pace.ts";
import { rclones } from "./setup/rclones.ts";

/** `bun run test`: installs what the tests need, checks the code, builds the binary, and runs every test. */

const root = join(import.meta.dir, "..");

/** What a newer rclone could break of the promise: played again with the current one, which is then first on PATH. */
const promises = [
  ...["bad-records", "delta", "local", "look", "protective-flags", "requests", "root-words", "roots"],
  ...["run-verified", "verify"],
].map((name) => `test/e2e/${name}.test.ts`);

/** What a test imports that one process at a time can use: the Slurm cluster, the account behind sshd. */
const sharedParts = /from "[./]*(?:cluster\/|ssh\/|docs\/worlds|stage\/slurm-stage)/;

/** Runs a command, and shows its output as it comes, or by `show`; returns it. */
async function step(
  argv: string[],
  {
    path = process.env.PATH ?? "",
    show = (text: string | Uint8Array) => void process.stdout.write(text),
  } = {},
): Promise<string> {
  show(
    `$ ${argv.length > 8 ? `${argv.slice(0, 3).join(" ")} ... (${argv.length - 3} files)` : argv.join(" ")}\n`,
  );
  const child = Bun.spawn([process.execPath, ...argv], {
    cwd: root,
    env: { ...process.env, PATH: path },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  let text = "";
  const copy = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      show(chunk);
      text += decoder.decode(chunk, { stream: true });
    }
  };
  await Promise.all([copy(child.stdout), copy(child.stderr)]);
  const code = await child.exited;
  if (code !== 0) process.exitCode = 1;
  return text;
}

let currentDir: string;
try {
  await ensureClusterPackages();
  const found = await rclones();
  for (const { name, path, version } of found) process.stdout.write(`rclone ${version} (${name}): ${path}\n`);
  currentDir = found.find(({ name }) => name === "current")?.dir ?? "";
} catch (error) {
  process.stderr.write(`test: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
for (const script of ["lint", "types", "unused"]) await step(["run", script]);
await step(["run", ".ci/build.ts"]);
const words = process.argv.slice(2);
const limit = String(limitMs(60_000));
const bunTest = (files: readonly string[]) => ["test", "--timeout", limit, ...files];
const outputs = words.length > 0 ? [await step(bunTest(words))] : await allTests();

/** All tests: those that share a Slurm cluster or an account one after the other, and beside them all others. */
async function allTests(): Promise<string[]> {
  const files = [...new Bun.Glob("test/**/*.test.ts").scanSync(root)].sort();
  const isShared = (file: string) =>
    file.startsWith("test/cluster/") || sharedParts.test(readFileSync(join(root, file), "utf8"));
  const [shared, own] = [files.filter(isShared), files.filter((file) => !isShared(file))];
  // One of the two is shown as it comes, the other one in one piece when that has ended.
  const kept: (string | Uint8Array)[] = [];
  let shows = (text: string | Uint8Array) => void kept.push(text);
  const beside = step(bunTest(shared), { show: (text) => shows(text) });
  const path = `${currentDir}:${process.env.PATH}`;
  const outputs = [await step(bunTest(own)), await step(bunTest(promises), { path })];
  for (const text of kept) process.stdout.write(text);
  shows = (text) => void process.stdout.write(text);
  return [...outputs, await beside];
}

const count = (word: string) =>
  outputs.reduce((sum, text) => sum + Number(new RegExp(`^ *(\\d+) ${word}$`, "m").exec(text)?.[1] ?? 0), 0);
const [passed, failed] = [count("pass"), count("fail")];
if (passed === 0) process.exitCode = 1;
process.stdout.write(`${passed} passed, ${failed} failed\n`);
