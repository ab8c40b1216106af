import { mkdirSync } from "node:fs";
import { join } from "node:path";

/** Builds the one binary; run by `bun run build` and by whatever needs it. */
const root = join(import.meta.dir, "..");

/** The commit that is built, for `xfer version`; empty where there is no telling: no git, or no repository. */
function commitOf(): string {
  if (Bun.which("git") === null) return "";
  const asked = Bun.spawnSync(["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"], {
    cwd: root,
  });
  const said = asked.stdout.toString().trim();
  return asked.success && /^[0-9a-f]{7,40}(?:-dirty)?$/.test(said) ? said : "";
}

mkdirSync(join(root, "dist"), { recursive: true });
const build = Bun.spawnSync(
  [
    process.execPath,
    "build",
    "--compile",
    "--minify",
    "--bytecode",
    // --bytecode without --format=esm builds a binary that dies at start.
    "--format=esm",
    // Otherwise the binary would run a bunfig.toml and load a .env that lie in the user's directory.
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    // What a thread runs lies beside the program, where it is looked for by its name.
    "--entry-naming=[name].[ext]",
    `--define=XFER_COMMIT=${JSON.stringify(commitOf())}`,
    "cmd/main.ts",
    "lib/system/digest-thread.ts",
    "--outfile",
    "dist/xfer",
  ],
  { cwd: root, stdout: "pipe", stderr: "pipe" },
);
if (build.exitCode !== 0) {
  process.stderr.write(build.stdout.toString() + build.stderr.toString());
  process.exit(1);
}
const started = Bun.spawnSync([join(root, "dist", "xfer"), "--version"], { env: {} });
if (started.exitCode !== 0) {
  process.stderr.write(`dist/xfer was built but does not start: ${started.stderr.toString()}\n`);
  process.exit(1);
}
process.stderr.write(`dist/xfer ${started.stdout.toString()}`);
