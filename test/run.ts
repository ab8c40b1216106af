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

async function step(argv: string[], path = process.env.PATH ?? ""): Promise<string> {
  process.stdout.write(`$ ${argv.join(" ")}\n`);
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
      process.stdout.write(chunk);
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
const outputs = [await step(["test", "--timeout", limit, ...words])];
if (words.length === 0) {
  const path = `${currentDir}:${process.env.PATH}`;
  outputs.push(await step(["test", "--timeout", limit, ...promises], path));
}
const count = (word: string) =>
  outputs.reduce((sum, text) => sum + Number(new RegExp(`^ *(\\d+) ${word}$`, "m").exec(text)?.[1] ?? 0), 0);
const [passed, failed] = [count("pass"), count("fail")];
if (passed === 0) process.exitCode = 1;
process.stdout.write(`${passed} passed, ${failed} failed\n`);
