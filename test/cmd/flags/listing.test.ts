import { describe, expect, test } from "bun:test";
import { buildOptionsOf } from "../../../cmd/flags/listing.ts";
import build from "../../../cmd/manifest/build.ts";
import { listingCpus } from "../../../lib/listing/request.ts";
import { optionsGiven } from "../command-line.ts";

type Input = Parameters<typeof buildOptionsOf>[0];

const given = { runtime: "pyxis", stop: new AbortController().signal, onProgress: () => {} } as const;

const asked = async (line: string) =>
  buildOptionsOf(
    await optionsGiven<Input>(build, `--source a: --dest b: --out m --run-id id ${line}`),
    given,
  );

test("how a listing is run when nothing is said", async () => {
  expect(await asked("")).toEqual({
    ...given,
    ...{
      runId: "id",
      image: undefined,
      configPath: undefined,
      pyxisExtra: [],
      cpus: listingCpus,
      verbosity: 0,
    },
    ...{ confInContainer: "/etc/rclone/rclone.conf", errorDir: ".", recursive: true, fastList: true },
    ...{ modtime: "server", hash: "auto", extraLsjsonFlags: [], listParallel: 1 },
  });
});

describe("what of it flags change", () => {
  const rows: [string, Partial<Awaited<ReturnType<typeof asked>>>][] = [
    ["--runtime host", { runtime: "host" }],
    ["--container-conf-path /c", { confInContainer: "/c" }],
    ["-v", { verbosity: 1 }],
    ["-vv", { verbosity: 2 }],
    ["--verbose --verbose", { verbosity: 2 }],
    ["--very-verbose", { verbosity: 2 }],
    ["--no-recursive --no-fast-list", { recursive: false, fastList: false }],
    ["--no-modtime", { modtime: "none" }],
    ["--hash off --list-parallel 7", { hash: "off", listParallel: 7 }],
    ["--extra-lsjson-flags '--exclude x'", { extraLsjsonFlags: ["--exclude", "x"] }],
  ];
  test.each(rows)("%s", async (line, options) => {
    expect(await asked(line)).toMatchObject(options);
  });

  test("each run has an id of its own unless it is given", async () => {
    const ids = await Promise.all(
      [1, 2].map(async () => {
        const input = await optionsGiven<Input>(build, "--source a: --dest b: --out m");
        return buildOptionsOf(input, given).runId;
      }),
    );
    expect(ids[0]).toMatch(/^\d{8}T\d{6}Z_[0-9a-f]{6}$/);
    expect(ids[0]).not.toBe(ids[1]);
  });

  test("a flag that a listing cannot stand is refused by name", async () => {
    await expect(asked("--extra-lsjson-flags --stat")).rejects.toThrow(
      /^--extra-lsjson-flags: --stat cannot be used here/,
    );
  });
});
