import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What the account of a run says, as far as the promise is about it. */
export interface RunAccount {
  listed: number;
  copied: number;
  unchanged: number;
  failed: number;
  unfinished: number;
  untransferable: number;
}

/** An object, or with `isFolder` all that a folder holds, that a file of the run names as not transferred. */
export interface NamedObject {
  shown: string;
  isFolder: boolean;
  by: "fail" | "untransferable" | "verify";
}

/** What a run has left in its directory. */
export interface RunFiles {
  named: NamedObject[];
  /** Files with a final name that are no JSON, with the reason. */
  torn: string[];
}

/** Reads the account that `xfer run --json` printed; undefined when it printed none. */
export function accountIn(stdout: string): RunAccount | undefined {
  let printed: Record<string, { objects?: number } | undefined>;
  try {
    printed = JSON.parse(stdout);
  } catch {
    return undefined;
  }
  if (printed.listed === undefined) return undefined;
  const of = (name: string) => printed[name]?.objects ?? 0;
  return {
    listed: of("listed"),
    copied: of("copied"),
    unchanged: of("unchanged"),
    failed: of("failed"),
    unfinished: of("unfinished"),
    untransferable: of("untransferable"),
  };
}

/** Reads what a run directory names as not transferred. */
export function readRunFiles(runDir: string): RunFiles {
  const files: RunFiles = { named: [], torn: [] };
  const stateDir = join(runDir, "state");
  for (const file of existsSync(stateDir) ? readdirSync(stateDir) : []) {
    if (!/\.(done|fail|attempt)$/.test(file)) continue;
    const state = jsonIn(join(stateDir, file), files)[0] as { errors?: { path: string }[] } | undefined;
    if (!file.endsWith(".fail")) continue;
    for (const { path } of state?.errors ?? [])
      files.named.push({ shown: path, isFolder: false, by: "fail" });
  }
  for (const line of linesOf(join(runDir, "manifest.untransferable.jsonl"), files)) {
    const { key, size } = line as { key: string; size: number | null };
    const isFolder = size === null;
    files.named.push({ shown: isFolder ? key.replace(/\/$/, "") : key, isFolder, by: "untransferable" });
  }
  for (const line of linesOf(join(runDir, "verify.jsonl"), files)) {
    const { path, verdict } = line as { path: string; verdict: string };
    if (verdict === "missing" || verdict === "differs")
      files.named.push({ shown: path, isFolder: false, by: "verify" });
  }
  linesOf(join(runDir, "manifest.jsonl"), files);
  return files;
}

function linesOf(path: string, files: RunFiles): unknown[] {
  return existsSync(path) ? jsonIn(path, files) : [];
}

function jsonIn(path: string, { torn }: RunFiles): unknown[] {
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.flatMap((line, index) => {
    if (line === "" && (index > 0 || lines.length === 1)) return [];
    try {
      return [JSON.parse(line)];
    } catch {
      torn.push(`${path}: line ${index + 1} is no JSON: ${line.slice(0, 80)}`);
      return [];
    }
  });
}
