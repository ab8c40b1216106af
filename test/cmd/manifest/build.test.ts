import { describe, expect, test } from "bun:test";
import { resolve } from "node:path";
import build from "../../../cmd/manifest/build.ts";
import { always, listDefaults, optionsGiven, rcloneDefaults, toldOf } from "../command-line.ts";

const roots = "--source src:set --dest dst:set --out m.jsonl";

describe("xfer manifest build: what its flags say", () => {
  const usual = {
    ...{ ...always, ...rcloneDefaults, ...listDefaults, "posix-list": true },
    ...{ source: "src:set", dest: "dst:set", out: "m.jsonl", json: false },
  };
  const rows: [string, object][] = [
    ["", usual],
    ["--json", { ...usual, json: true }],
    ["--runtime host --no-recursive", { ...usual, runtime: "host", recursive: false }],
    ["--no-fast-list --list-parallel 8", { ...usual, "fast-list": false, "list-parallel": 8 }],
    ["--no-modtime --hash off", { ...usual, modtime: "none", hash: "off" }],
    ["--modtime metadata --hash on", { ...usual, modtime: "metadata", hash: "on" }],
    ["--rclone-image a.sqsh --no-image-check", { ...usual, "rclone-image": "a.sqsh", "image-check": false }],
    // Where rclone runs there may be another current directory.
    ["--rclone-config rclone.conf", { ...usual, "rclone-config": resolve("rclone.conf") }],
    ["--container-conf-path /c", { ...usual, "rclone-conf-in-container": "/c" }],
    ["--rclone-conf-in-container /c", { ...usual, "rclone-conf-in-container": "/c" }],
    [
      "--pyxis-extra '--container-workdir=/ -v'",
      { ...usual, "pyxis-extra": ["--container-workdir=/", "--verbose"] },
    ],
    [`--extra-lsjson-flags "--exclude 'a b'"`, { ...usual, "extra-lsjson-flags": ["--exclude", "a b"] }],
    ["--run-id my.run-1", { ...usual, "run-id": "my.run-1" }],
    ["-v", { ...usual, verbose: true }],
    ["-vv", { ...usual, verbose: true, "very-verbose": true }],
    ["--very-verbose", { ...usual, "very-verbose": true }],
  ];
  test.each(rows)("%s", async (line, options) => {
    expect(await optionsGiven(build, `${roots} ${line}`)).toEqual(options);
  });
});

describe("xfer manifest build: a wrong value is told", () => {
  const rows: [string, string][] = [
    ["--runtime docker", '--runtime: must be one of pyxis, apptainer, host, not "docker"'],
    ["--modtime never", '--modtime: must be one of server, metadata, none, not "never"'],
    ["--hash md5", '--hash: must be one of auto, on, off, not "md5"'],
    ["--list-parallel many", '--list-parallel: must be a whole number from 1 to 256, not "many"'],
    ["--run-id ../x", '--run-id: must be 1 to 100 letters, digits, _ . and -, not "../x"'],
    ["--rclone-config=", '--rclone-config: must not be empty, not ""'],
    ["--rclone-conf-in-container c", '--rclone-conf-in-container: must be an absolute path, not "c"'],
    ["--pyxis-extra --help", "--pyxis-extra: --help cannot be used here: nothing would be run"],
    [`--extra-lsjson-flags "'a"`, "--extra-lsjson-flags: a quote is not closed"],
    ["--rclone-flags --fast-list", "unknown flag --rclone-flags"],
  ];
  test.each(rows)("%s", async (line, told) => {
    expect(await toldOf(build, `${roots} ${line}`)).toBe(told);
  });

  test("a credential in words for srun is not repeated", async () => {
    const told = await toldOf(build, `${roots} --pyxis-extra --export=ALL,AWS_SECRET_ACCESS_KEY=hidden`);
    expect(told).toStartWith("--pyxis-extra: --export sets a variable to a value");
    expect(told).not.toContain("hidden");
  });

  test.each([
    ["--dest d --out m", "--source is missing"],
    ["--source s --out m", "--dest is missing"],
    ["--source s --dest d", "--out is missing"],
  ])("%s", async (line, told) => {
    expect(await toldOf(build, line)).toBe(told);
  });
});
