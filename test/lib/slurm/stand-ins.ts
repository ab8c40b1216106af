import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Programs that stand in for Slurm's on PATH; each notes the words that it was called with. */
interface StandIns extends Disposable {
  /** The calls so far: the program and its words. */
  calls(): string[][];
}

const between = "\u001f";

/**
 * Puts programs first on PATH, each by the shell text that it runs once its call is noted. What real Slurm does with these
 * words the tests of the cluster show; these show that the words are right, whatever Slurm answers.
 */
export function standIns(dir: string, programs: Readonly<Record<string, string>>): StandIns {
  const bin = join(dir, "stand-ins");
  const calls = join(dir, "calls");
  mkdirSync(bin);
  for (const [name, text] of Object.entries(programs)) {
    const path = join(bin, name);
    const note = `{ printf '%s' ${name}; printf '${between}%s' "$@"; echo; } >>"${calls}"`;
    writeFileSync(path, `#!/bin/sh\n${note}\n${text}\n`);
    chmodSync(path, 0o755);
  }
  const before = process.env.PATH;
  process.env.PATH = `${bin}:${before}`;
  return {
    calls: () =>
      existsSync(calls)
        ? readFileSync(calls, "utf8")
            .trimEnd()
            .split("\n")
            .map((line) => line.split(between))
        : [],
    [Symbol.dispose]: () => {
      process.env.PATH = before;
    },
  };
}
