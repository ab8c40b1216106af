import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { signatureProblem, signMachO } from "./mach-signature.ts";
import { schemasIn } from "./schemas.ts";

/** The machines that a release has a binary for, by what Bun calls them. */
export const targets = {
  // Not the newest CPUs alone: the nodes of a cluster may be ten years old (docs/reference/binary.md).
  "linux-x64": "bun-linux-x64-baseline",
  "linux-arm64": "bun-linux-arm64",
  "darwin-arm64": "bun-darwin-arm64",
  "darwin-x64": "bun-darwin-x64",
} as const;

export type Target = keyof typeof targets;

export const root = join(import.meta.dir, "..");

/** The commit that is built, for `xfer version`; empty where there is no telling: no git, or no repository. */
function commitOf(): string {
  if (Bun.which("git") === null) return "";
  const asked = Bun.spawnSync(["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"], {
    cwd: root,
  });
  const said = asked.stdout.toString().trim();
  return asked.success && /^[0-9a-f]{7,40}(?:-dirty)?$/.test(said) ? said : "";
}

/** The text of all of the program's own files. */
export function codeOf(folder: string): string[] {
  return ["lib", "agent", "cmd"].flatMap((part) =>
    readdirSync(join(folder, part), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => readFileSync(join(folder, part, name), "utf8")),
  );
}

/**
 * Compiles the binary for a target, or for this machine, and writes `outfile`; with `metafile`, also what it was made of.
 * Throws with what the compiler says.
 */
export function compile(options: { outfile: string; target?: Target; metafile?: string }): void {
  const { outfile, target, metafile } = options;
  mkdirSync(dirname(outfile), { recursive: true });
  const build = Bun.spawnSync(
    [
      process.execPath,
      "build",
      "--compile",
      ...(target === undefined ? [] : [`--target=${targets[target]}`]),
      "--minify",
      "--bytecode",
      // --bytecode without --format=esm builds a binary that dies at start.
      "--format=esm",
      // Otherwise the binary would run a bunfig.toml and load a .env that lie in the user's directory.
      "--no-compile-autoload-dotenv",
      "--no-compile-autoload-bunfig",
      // What a thread runs lies beside the program, where it is looked for by its name.
      "--entry-naming=[name].[ext]",
      ...(metafile === undefined ? [] : [`--metafile=${metafile}`]),
      `--define=XFER_COMMIT=${JSON.stringify(commitOf())}`,
      `--define=XFER_TARGET=${JSON.stringify(target ?? `${process.platform}-${process.arch}`)}`,
      `--define=XFER_SCHEMAS=${JSON.stringify(schemasIn(codeOf(root)))}`,
      "cmd/main.ts",
      "lib/system/digest-thread.ts",
      "--outfile",
      outfile,
    ],
    { cwd: root, stdout: "pipe", stderr: "pipe" },
  );
  if (!build.success) throw new Error(`${outfile}: ${build.stdout.toString()}${build.stderr.toString()}`);
  if (target?.startsWith("darwin-")) sign(outfile);
}

/** Sees to it that macOS starts the binary. */
function sign(path: string): void {
  const binary = readFileSync(path);
  if (signatureProblem(binary) === undefined) return;
  const signed = signMachO(binary, basename(path));
  const problem = signatureProblem(signed);
  if (problem !== undefined) throw new Error(`${path}: ${problem}`);
  writeFileSync(path, signed);
}

/** What a binary of this machine says that its version is. Throws when it does not start. */
export function versionOf(binary: string): string {
  const started = Bun.spawnSync([binary, "--version"], { env: {} });
  if (!started.success) {
    throw new Error(`${binary} was built but does not start: ${started.stderr.toString()}`);
  }
  return started.stdout.toString().trim();
}
