import { expect, test } from "bun:test";
import { type CopyStart, copyCommand } from "../../agent/copy-command.ts";
import { copySetupOf } from "../../agent/copy-setup.ts";
import type { RunConfig } from "../../lib/run/config.ts";
import { configOf } from "./config-of.ts";

const stores = {
  RCLONE_CONFIG: "",
  RCLONE_CONFIG_SRC_TYPE: "s3",
  RCLONE_CONFIG_SRC_ENDPOINT: "http://one.example",
  RCLONE_CONFIG_DST_TYPE: "s3",
  RCLONE_CONFIG_DST_ENDPOINT: "http://other.example",
};

const start: CopyStart = {
  pass: 1,
  mayBeThere: false,
  version: [1, 60],
  keys: "/run/state/shard_0.keys",
  objects: 100,
  largestBytes: 1_000,
  transfers: 32,
  lowered: null,
  limitMs: undefined,
};

/** The words of a command, and how long rclone may be idle. */
function command(
  roots: [source: string, dest: string],
  {
    config,
    env,
    ...more
  }: { config?: Partial<RunConfig>; env?: Record<string, string> } & Partial<CopyStart>,
) {
  const setup = copySetupOf(configOf(...roots, config), { ...stores, ...env });
  return copyCommand(setup, { ...start, ...more });
}

const s3ToS3: [string, string] = ["src:b/in", "dst:b/out"];
const files: [string, string] = ["/in", "/out"];

test("the words of a plain copy, from the plan to the flags that the agent's account needs", () => {
  const { argv, plan } = command(files, {});
  expect(argv).toEqual([
    ...[
      "rclone",
      "copy",
      "/in",
      "/out",
      "--files-from-raw",
      "/run/state/shard_0.keys",
      "--ask-password=false",
    ],
    ...["--no-traverse", "--no-check-dest", "--transfers", "32"],
    ...["--retries", "1", "--use-json-log", "-vv", "--stats", "2s", "--stats-log-level", "NOTICE"],
  ]);
  expect(plan.reason).toStartWith("posix to posix");
});

test.each<[what: string, more: Parameters<typeof command>[1], has: string, lacks: string]>([
  ["the first pass over small objects of S3 shows refusals", {}, "--low-level-retries 2", "--checkers"],
  ["a later pass has the user's repeats", { pass: 2 }, "--transfers 32", "--low-level-retries"],
  [
    "throttling bounds rclone",
    { transfers: 8, lowered: 8, limitMs: 15_000, config: { rclone_flags: ["--transfers", "32"] } },
    "--checkers 2 --max-duration 15000ms --cutoff-mode soft",
    "--transfers 32",
  ],
  ["objects that may be there are compared", { mayBeThere: true }, "--no-traverse", "--no-check-dest"],
  ["metadata goes along between two stores", {}, "--metadata", "--no-update-modtime"],
  ["metadata stays behind", { config: { metadata: "off" } }, "--no-traverse", "--metadata"],
])("S3 to S3: %s", (_what, more, has, lacks) => {
  const words = command(s3ToS3, more).argv.join(" ");
  expect(words).toContain(has);
  expect(words).not.toContain(`${lacks} `);
});

test("a flag of the user's comes after the plan's, and wins", () => {
  const { argv } = command(s3ToS3, { config: { rclone_flags: ["--s3-no-head=false"] } });
  expect(argv.indexOf("--s3-no-head=false")).toBeGreaterThan(argv.indexOf("--s3-no-head"));
  expect(argv).toContain("--s3-no-head");
});

test("rclone may be idle for as long as its look-ups take, and variables of an old rclone's plan go along", () => {
  const many = { objects: 100_000 };
  expect(command(files, many).silence.idleMs).toBe(60_000 + (100_000 * 40) / 8);
  expect(command(files, { ...many, env: { RCLONE_CHECKERS: "16" } }).silence.idleMs).toBe(
    60_000 + (100_000 * 40) / 16,
  );
  expect(command(s3ToS3, many).silence.idleMs).toBe(60_000);
  expect(command(["src:b/in", "/out"], {}).env.RCLONE_INPLACE).toBe("true");
});

test("a container gets srun's words, the mounts and its own names for the list of keys and rclone.conf", () => {
  const config: Partial<RunConfig> = {
    runtime: "pyxis",
    rclone_image: "/images/rclone.sqsh",
    rclone_config: "/home/me/rclone.conf",
    pyxis_extra: ["--container-writable"],
  };
  const { argv } = command(files, { config });
  const words = argv.join(" ");
  expect(words).toStartWith("srun --export=ALL -n 1 -c 4 --container-image=/images/rclone.sqsh ");
  expect(words).toContain(
    "/home/me/rclone.conf:/etc/rclone.conf:ro,/run/state/shard_0.keys:/xfer.keys:ro,/in:/in:ro,/out:/out:rw",
  );
  expect(words).toContain(
    "--container-writable rclone copy /in /out --files-from-raw /xfer.keys --config /etc/rclone.conf",
  );
});
