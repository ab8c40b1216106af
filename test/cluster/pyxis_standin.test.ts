import { beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { limitMs } from "../setup/pace.ts";
import type { Cluster, RunResult } from "./cluster.ts";
import { sharedCluster } from "./shared.ts";

const START_TIMEOUT_MS = limitMs(600_000);
const TEST_TIMEOUT_MS = limitMs(60_000);

let cluster: Cluster;

beforeAll(async () => {
  cluster = await sharedCluster();
}, START_TIMEOUT_MS);

async function srun(flags: string[], command: string[], asUser = true): Promise<RunResult> {
  return await cluster.run(["srun", "--export=ALL", ...flags, ...command], { asUser });
}

describe.each([
  ["root", false],
  ["an ordinary user", true],
])("a step in a container, as %s", (_, asUser) => {
  test.each(["imageDir", "imageSqsh"] as const)(
    "runs rclone of %s with two mounts",
    async (image) => {
      const [source, target] = [await cluster.sharedDir("from"), await cluster.sharedDir("to")];
      writeFileSync(`${source}/a file`, "content");
      const script = "rclone version; rclone copyto '/in/a file' /out/copy && id -un; echo x > /in/new";
      const result = await srun(
        [`--container-image=${cluster[image]}`, `--container-mounts=${source}:/in:ro,${target}:/out`],
        ["sh", "-c", script],
        asUser,
      );
      expect(result.stdout).toMatch(/^rclone v1\.\d+/);
      expect(result.stdout).toEndWith(`${asUser ? cluster.user.name : "root"}\n`);
      expect(result.stderr).toContain("/in/new: Read-only file system");
      expect(await Bun.file(`${target}/copy`).text()).toBe("content");
    },
    TEST_TIMEOUT_MS,
  );

  test(
    "passes stdin, stdout, stderr and the exit code",
    async () => {
      const step = `srun --export=ALL --container-image=${cluster.imageSqsh} sh -c 'cat; echo err >&2; exit 7'`;
      const result = await cluster.run(["sh", "-c", `printf in | ${step}`], { asUser });
      expect(result.code).toBe(7);
      expect(result.stdout).toBe("in");
      expect(result.stderr).toContain("err\n");
    },
    TEST_TIMEOUT_MS,
  );
});

describe("the stand-in does as pyxis does", () => {
  test(
    "of two --container-mounts only the last counts",
    async () => {
      const [first, last] = [await cluster.sharedDir("first"), await cluster.sharedDir("last")];
      const result = await srun(
        [
          `--container-image=${cluster.imageSqsh}`,
          `--container-mounts=${first}:/first`,
          `--container-mounts=${last}:/last`,
        ],
        ["sh", "-c", "ls -d /first /last"],
      );
      expect(result.stdout).toBe("/last\n");
    },
    TEST_TIMEOUT_MS,
  );

  test(
    "the root is read-only, /tmp is not, and /tmp is not the host's",
    async () => {
      const script = "touch /new; touch /tmp/new && ls /tmp";
      const result = await srun([`--container-image=${cluster.imageSqsh}`], ["sh", "-c", script]);
      expect(result.stderr).toContain("'/new': Read-only file system");
      expect(result.stdout.split("\n")).toContain("new");
      expect(await Bun.file("/tmp/new").exists()).toBe(false);
    },
    TEST_TIMEOUT_MS,
  );

  test(
    "the image's variables win over the host's unless --container-env names them",
    async () => {
      const run = async (...flags: string[]) => {
        const argv = ["srun", "--export=ALL", `--container-image=${cluster.imageSqsh}`, ...flags];
        const env = { XDG_CONFIG_HOME: "/of/host", FROM_HOST: "yes", LANG: "C.UTF-8" };
        const script = 'echo "$XDG_CONFIG_HOME $FROM_HOST $LANG"';
        return (await cluster.run([...argv, "sh", "-c", script], { asUser: true, env })).stdout;
      };
      expect(await run()).toBe("/config yes \n");
      expect(await run("--container-env=XDG_CONFIG_HOME,LANG")).toBe("/of/host yes C.UTF-8\n");
    },
    TEST_TIMEOUT_MS,
  );

  const refusals: [what: string, image: () => string, mounts: string | undefined, message: string][] = [
    [
      "a missing image",
      () => "/no/such.sqsh",
      undefined,
      "pyxis:     [ERROR] No such file or directory: /no/such.sqsh",
    ],
    [
      "an image of a registry",
      () => "rclone/rclone:1",
      undefined,
      "pyxis: failed to import docker image: rclone/rclone:1",
    ],
    ["a bare file name", () => "image.sqsh", undefined, "pyxis: failed to import docker image: image.sqsh"],
    [
      "a file that is no image",
      () => cluster.confPath,
      undefined,
      "pyxis:     [ERROR] Invalid image format: ",
    ],
    [
      "a missing mount source",
      () => cluster.imageSqsh,
      "/no/such:/x",
      "pyxis: --container-mounts: source path does not exist: /no/such",
    ],
    ["an unknown mount flag", () => cluster.imageSqsh, "/etc:/x:readonly", "readonly"],
  ];
  test.each(refusals)(
    "%s is refused in clear words and with code 1",
    async (_, image, mounts, message) => {
      const flags = mounts === undefined ? [] : [`--container-mounts=${mounts}`];
      const result = await srun([`--container-image=${image()}`, ...flags], ["true"]);
      expect(result.stderr).toContain(message);
      expect(result.stderr).toContain("task_init() failed with rc=-1");
      expect(result.code).toBe(1);
    },
    TEST_TIMEOUT_MS,
  );

  test.each([
    ["a comma in a path", "/tmp/a,b:/x", "mount source must be a relative path, an absolute path"],
    ["a trailing comma", "/etc:/x,", "--container-mounts: invalid format: "],
    ["an empty target", "/etc::ro", "--container-mounts: invalid format: /etc::ro"],
    ["a source that is no path", "etc:/x", "mount source must be a relative path, an absolute path"],
  ])(
    "%s in --container-mounts stops srun itself",
    async (_, mounts, message) => {
      const result = await srun(
        [`--container-image=${cluster.imageSqsh}`, `--container-mounts=${mounts}`],
        ["true"],
      );
      expect(result.stderr).toContain(message);
      expect(result.code).not.toBe(0);
    },
    TEST_TIMEOUT_MS,
  );

  test(
    "a path with a colon is split there",
    async () => {
      const dir = `${await cluster.sharedDir("colon")}/a:b`;
      const result = await srun(
        [`--container-image=${cluster.imageSqsh}`, `--container-mounts=${dir}:/x`],
        ["true"],
      );
      expect(result.code).not.toBe(0);
    },
    TEST_TIMEOUT_MS,
  );

  test(
    "an image and a mount source that only root may open are refused to a user",
    async () => {
      const dir = await cluster.sharedDir("closed");
      const make = await cluster.run([
        "sh",
        "-c",
        `cp ${cluster.imageSqsh} ${dir}/root.sqsh && chmod 600 ${dir}/root.sqsh && mkdir -p -m 700 ${dir}/only && mkdir ${dir}/only/x`,
      ]);
      expect(make.code).toBe(0);
      const image = await srun([`--container-image=${dir}/root.sqsh`], ["true"]);
      expect(image.stderr).toContain(`[ERROR] Permission denied: ${dir}/root.sqsh`);
      expect(image.code).toBe(1);
      const mount = [`--container-image=${cluster.imageSqsh}`, `--container-mounts=${dir}/only/x:/x`];
      expect((await srun(mount, ["true"])).stderr).toContain("Permission denied");
      expect((await srun(mount, ["true"], false)).code).toBe(0);
    },
    TEST_TIMEOUT_MS,
  );
});
