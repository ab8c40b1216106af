import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ensurePackages, program } from "../setup/packages.ts";
import { binary, temporaryDirectory, timeoutMs, xfer } from "../stage/harness.ts";
import { Typist } from "../stage/typist.ts";

// The scripts of `xfer completion`, in the shells that they are for, at a terminal that somebody types at.

await ensurePackages([program("zsh", "zsh"), program("fish", "fish")]);

/** A folder with files and a folder to be named. */
function scene() {
  const dir = temporaryDirectory("xfer-completion-");
  writeFileSync(join(dir.path, "rclone.conf"), "");
  writeFileSync(join(dir.path, "records.jsonl"), "");
  mkdirSync(join(dir.path, "recent-run"));
  return dir;
}

/** [what is typed, what the line becomes or what is offered] */
const lines: [string, string][] = [
  ["xfer manifest bu\t", "xfer manifest build"],
  ["xfer slurm submit --run\t", "--run-dir"],
  ["xfer run --executor l\t", "--executor local"],
  ["xfer run --executor=l\t", "--executor=local"],
  ["xfer run --rclone-config rcl\t", "--rclone-config rclone.conf"],
  ["xfer run --rclone-config=rcl\t", "--rclone-config=rclone.conf"],
  ["xfer run --run-dir re\t", "--run-dir recent-run/"],
  ["xfer help slurm s\t", "xfer help slurm submit"],
  ["xfer completion f\t", "xfer completion fish"],
];

test.each([
  ["bash", ["bash", "--norc", "--noprofile", "-i"], "source <(xfer completion bash)"],
  ["zsh", ["zsh", "-f", "-i"], "autoload -Uz compinit; compinit -u -D; source <(xfer completion zsh)"],
])(
  "%s completes commands, flags, values, files and folders",
  async (_shell, argv, setUp) => {
    using dir = scene();
    await using shell = new Typist(argv, dir.path);
    await shell.type(`${setUp}; echo rea''dy\n`, "ready");
    for (const [keys, line] of lines) await shell.type(keys, line);
    await shell.type("xfer run --color=\t\t", "never");
  },
  timeoutMs,
);

test(
  "fish completes commands, flags, values, files and folders",
  async () => {
    using dir = scene();
    const script = lines.map(([keys]) => `complete -C ${JSON.stringify(keys.trimEnd())}`);
    const run = ["fish", "--no-config", "-c", `xfer completion fish | source; ${script.join("; ")}`];
    const child = Bun.spawnSync(run, {
      cwd: dir.path,
      env: { PATH: `${dirname(binary)}:/usr/bin:/bin`, HOME: dir.path, LANG: "C.UTF-8" },
    });
    const offered = child.stdout.toString().trimEnd().split("\n");
    expect(offered.map((line) => line.split("\t")[0])).toEqual(
      lines.map(([, line]) => line.slice(line.lastIndexOf(" ") + 1)),
    );
  },
  timeoutMs,
);

test("a shell that is not known is refused, with those that are", async () => {
  for (const [words, said] of [
    [[], "a shell is missing"],
    [["tcsh"], 'unknown shell "tcsh"'],
  ] as const) {
    expect(await xfer(["completion", ...words], { cwd: "/" })).toEqual({
      code: 2,
      stdout: "",
      stderr: `xfer: ${said}: one of bash, zsh, fish (see xfer completion --help)\n`,
    });
  }
});
