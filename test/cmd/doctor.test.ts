import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import doctor, { targetOf } from "../../cmd/doctor.ts";
import { doctorJson, doctorText } from "../../cmd/view/doctor.ts";
import { failure, ok, skipped, warning } from "../../lib/launch/finding.ts";
import { temporaryDirectory } from "../stage/harness.ts";
import { optionsGiven, toldOf } from "./command-line.ts";

type Input = Parameters<typeof targetOf>[0];

const targetGiven = async (line: string) => targetOf(await optionsGiven<Input>(doctor, line));

describe("xfer doctor: what its flags say without a run", () => {
  const nothing = { runDir: undefined, source: undefined, dest: undefined, objects: undefined };
  test.each<[string, object]>([
    [
      "--executor slurm",
      { ...nothing, executor: "slurm", reach: { runtime: "pyxis", image: undefined, pyxisExtra: [] } },
    ],
    ["--executor local", { executor: "local", reach: { runtime: "host" } }],
    ["--runtime pyxis", { executor: "slurm" }],
    [
      "--partition a --time-limit 60 --mem 8G --cpus-per-task 4 --sbatch-extras '--account=x -p b'",
      { request: { partitions: ["b"], timeLimit: 3600, memoryMb: 8192, cpus: 4, account: "x" } },
    ],
    [
      "--rclone-image /i.sqsh --source /s --dest /d",
      { reach: { image: "/i.sqsh" }, source: "/s", dest: "/d" },
    ],
  ])("%s", async (line, target) => expect(await targetGiven(line)).toMatchObject(target));

  test("a wrong value is told, and what a run directory says by itself", async () => {
    expect(await toldOf(doctor, "--executor slrum")).toBe(
      '--executor: must be one of slurm, local, not "slrum"',
    );
    expect(await toldOf(doctor, "--partition 'a b'")).toContain("names no partition");
    for (const words of [
      "--partition a",
      "--mem 1G",
      "--sbatch-extras --qos=x",
      "--source /s",
      "--runtime host",
    ]) {
      const told = targetGiven(`--run-dir run ${words}`).catch((error: unknown) => error);
      expect(await told).toMatchObject({
        exitCode: 2,
        message: `${words.split(" ")[0]} is for a look without --run-dir: a run says it by itself`,
      });
    }
    using dir = temporaryDirectory();
    const none = targetGiven(`--run-dir '${join(dir.path, "none")}'`).catch((error: unknown) => error);
    expect(await none).toMatchObject({
      exitCode: 2,
      message: expect.stringContaining("not a rendered run directory"),
    });
  });
});

describe("what a doctor found", () => {
  const findings = [
    ok("sbatch", "22.05.8"),
    failure("partition", "a\u001b[31m is\nnone", "take b"),
    warning("gpus", "all", "take c"),
    skipped("account", "not known"),
    skipped("clock", "no endpoint"),
  ];

  test("as text: a line each, the mend below, and the sum; what a program said is plain", () => {
    expect(doctorText(findings, "never")).toBe(
      [
        "ok       sbatch     22.05.8",
        "failure  partition  a [31m is none",
        "                    take b",
        "warning  gpus       all",
        "                    take c",
        "skipped  account    not known",
        "skipped  clock      no endpoint",
        "1 failure, 1 warning, 2 not looked at",
        "",
      ].join("\n"),
    );
    expect(doctorText([ok("a", "b")], "never")).toBe("ok       a  b\n0 failures, 0 warnings\n");
    expect(doctorText([ok("a", "b")], "always")).toStartWith("\u001b[32mok     \u001b[0m  a  b\n");
  });

  test("as JSON", async () => {
    const target = await targetGiven("--executor slurm");
    expect(doctorJson(target, findings.slice(0, 2))).toEqual({
      ...{
        schema: "xfer.doctor.v1",
        run_dir: null,
        executor: "slurm",
        runtime: "pyxis",
        failures: 1,
        warnings: 0,
      },
      checks: [
        { check: "sbatch", state: "ok", text: "22.05.8", mend: null },
        { check: "partition", state: "failure", text: "a\u001b[31m is\nnone", mend: "take b" },
      ],
    });
  });
});
