import { join } from "node:path";
import { ensureClusterPackages } from "./cluster/packages.ts";
import { rclones } from "./setup/rclones.ts";

/** `bun run test`: installs what the tests need, checks the code, builds the binary, and runs every test. */

const root = join(import.meta.dir, "..");

async function step(argv: string[]): Promise<string> {
  process.stdout.write(`$ ${argv.join(" ")}\n`);
  const child = Bun.spawn([process.execPath, ...argv], {
    cwd: root,
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

try {
  await ensureClusterPackages();
  for (const { name, path, version } of await rclones())
    process.stdout.write(`rclone ${version} (${name}): ${path}\n`);
} catch (error) {
  process.stderr.write(`test: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
for (const script of ["lint", "types", "unused"]) await step(["run", script]);
await step(["run", "test/setup/build.ts"]);
const output = await step(["test", "--timeout", "60000", ...process.argv.slice(2)]);
const count = (word: string) => Number(new RegExp(`^ *(\\d+) ${word}$`, "m").exec(output)?.[1] ?? 0);
const [passed, failed] = [count("pass"), count("fail")];
if (passed === 0) process.exitCode = 1;
process.stdout.write(`${passed} passed, ${failed} failed\n`);
