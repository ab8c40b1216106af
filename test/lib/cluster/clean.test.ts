import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { judgeBinaries, lookAtBinaries, parseBinaries, removeBinaries } from "../../../lib/cluster/clean.ts";
import { type FarEnd, thisHost } from "../../../lib/cluster/far-end.ts";

const dir = mkdtempSync(join(tmpdir(), "xfer clean '"));
afterAll(() => rmSync(dir, { recursive: true }));

const stop = new AbortController().signal;
const binary = (version: string, digit: string) => `xfer-${version}-${digit.repeat(12)}`;

function write(path: string, text: string): void {
  const file = join(dir, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

test.each([
  ["of this version", binary("1.0.0", "a"), [], [], "this version"],
  ["of a later version whose name begins so", binary("1.0.0-rc1", "a"), [], [], "this version"],
  ["that a run uses", binary("0.9.0", "a"), [binary("0.9.0", "a")], [], "a run uses it"],
  ["that a command uses", binary("0.9.0", "a"), [], [binary("0.9.0", "a")], "a command uses it"],
  ["that nothing uses", binary("0.9.0", "a"), [binary("0.9.0", "b")], [], undefined],
  ["of which an upload was given up", `${binary("1.0.0", "a")}.part`, [binary("1.0.0", "a")], [], undefined],
  ["whose copying was given up", `${binary("1.0.0", "a")}.4711`, [binary("1.0.0", "a")], [], undefined],
] as const)("a binary %s", (_, name, ofRuns, ofCommands, keep) => {
  const found = { binaries: [{ name, bytes: 1 }], ofRuns: [...ofRuns], ofCommands: [...ofCommands] };
  expect(judgeBinaries(found, "1.0.0")).toEqual([{ name, bytes: 1, keep }]);
});

test.each([
  ["is not there", "", { binaries: [], ofRuns: [], ofCommands: [] }],
  [
    "holds files of somebody else",
    `== binaries\n1 xfer-notes.txt\n2 ${binary("1.0.0", "a")}.old\n3 ${binary("1.0.0", "a")}\n== end\n`,
    { binaries: [{ name: binary("1.0.0", "a"), bytes: 3 }], ofRuns: [], ofCommands: [] },
  ],
  ["was looked at in part", "== binaries\n1 x\n== runs\n", "incomplete"],
  ["is one whose Slurm is silent", "== binaries\n== runs\n== jobs\n== silent\n", "incomplete"],
])("a run root that %s", (_, text, expected) => {
  expect<unknown>(parseBinaries(text)).toEqual(expected);
});

/** This host with an squeue of our own, so that no other Slurm of this host is asked. */
function hostWith(squeue: string): FarEnd {
  const tools = join(dir, "..", `${dir.split("/").at(-1)} tools`);
  mkdirSync(tools, { recursive: true });
  writeFileSync(join(tools, "squeue"), `#!/bin/sh\n${squeue}\n`);
  chmodSync(join(tools, "squeue"), 0o755);
  const host = thisHost();
  const path = `PATH='${tools.replaceAll("'", "'\\''")}':$PATH`;
  return { ...host, run: (script, options) => host.run(`${path}\n${script}`, options) };
}

describe("a run root with runs, jobs and sessions", () => {
  const profile = { run_root: dir };
  const names = ["1", "2", "3", "4", "5"].map((digit) => binary("0.9.0", digit));
  const [ofRun = "", ofNested = "", ofJob = "", ofSession = "", unused = ""] = names;
  for (const name of names) write(`.xfer/bin/${name}`, "binary");
  write(`.xfer/bin/${binary("1.0.0", "6")}`, "binary");
  write(`.xfer/bin/${unused}.part`, "bin");
  write(`.xfer/bin/${unused}.4711`, "bin");
  write(".xfer/bin/notes of mine", "x");
  write(`.xfer/bin/${binary("0.8.0", "7")}.part`, "bi");
  const long = new Date(Date.now() - 3 * 24 * 3600_000);
  utimesSync(join(dir, `.xfer/bin/${binary("0.8.0", "7")}.part`), long, long);
  write("a run/bin/agent-path", `/other/way/.xfer/bin/${ofRun}\n`);
  write("deep/logs/run/bin/agent-path", `${dir}/.xfer/bin/${ofNested}\n`);
  write("deep/logs/run/config.resolved.json", "{}");
  write("deep/logs/run/state/agent-path", `${dir}/.xfer/bin/${unused}\n`);
  write(".xfer/sessions/x/session.json", JSON.stringify({ words: [`${dir}/.xfer/bin/${ofSession}`, "run"] }));
  const elsewhere = `${dir} elsewhere`;
  mkdirSync(join(elsewhere, "bin"), { recursive: true });
  writeFileSync(join(elsewhere, "bin", "agent-path"), `${dir}/.xfer/bin/${ofJob}\n`);
  afterAll(() => {
    rmSync(elsewhere, { recursive: true });
    rmSync(`${dir} tools`, { recursive: true, force: true });
  });

  test("when Slurm does not answer, nothing is known to be unused", async () => {
    const end = hostWith("echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1");
    await expect(lookAtBinaries(end, profile, { version: "1.0.0", stop })).rejects.toThrow(
      /nothing is removed, since it is not known what is used: .*Unable to contact/,
    );
  });

  test("what is used stays, and what is not is removed", async () => {
    const end = hostWith(`echo '${elsewhere.replaceAll("'", "'\\''")}'`);
    const binaries = await lookAtBinaries(end, profile, { version: "1.0.0", stop });
    const kept = (name: string) => binaries.find((one) => one.name === name)?.keep;
    expect([ofRun, ofNested, ofJob].map(kept)).toEqual(["a run uses it", "a run uses it", "a run uses it"]);
    expect(kept(ofSession)).toBe("a command uses it");
    expect(kept(binary("1.0.0", "6"))).toBe("this version");
    const gone = binaries.filter(({ keep }) => keep === undefined);
    expect(gone).toEqual([
      { name: `${binary("0.8.0", "7")}.part`, bytes: 2, keep: undefined },
      { name: unused, bytes: 6, keep: undefined },
    ]);
    await removeBinaries(
      end,
      profile,
      gone.map(({ name }) => name),
      stop,
    );
    expect(readdirSync(join(dir, ".xfer/bin")).sort()).toEqual(
      [
        ofRun,
        ofNested,
        ofJob,
        ofSession,
        ...[`${unused}.part`, `${unused}.4711`, binary("1.0.0", "6"), "notes of mine"],
      ].sort(),
    );
  });
});
