import { expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { binary, temporaryDirectory, timeoutMs } from "../stage/harness.ts";

test(
  "starts in an empty environment and ignores a bunfig.toml and a .env in the current directory",
  async () => {
    using dir = temporaryDirectory();
    writeFileSync(join(dir.path, "bunfig.toml"), 'preload = ["./evil.ts"]\n');
    writeFileSync(join(dir.path, "evil.ts"), 'require("fs").writeFileSync("pwned", "1"); process.exit(9);\n');
    writeFileSync(
      join(dir.path, ".env"),
      "RCLONE_CONFIG=/nowhere\nPATH=/nowhere\nXFER_SUBMISSION=x\nNO_COLOR=1\n",
    );
    const child = Bun.spawn(
      [binary, "manifest", "build", "--runtime", "host", "--source", "a", "--dest", "b", "--out", "c"],
      {
        cwd: dir.path,
        env: {},
        stdout: "pipe",
        stderr: "pipe",
      },
    );
    expect(await child.stderr.text()).toBe(
      "xfer: rclone was not found on PATH (looked in nothing: PATH is empty): " +
        "install it here, or put its folder on PATH\n",
    );
    expect(await child.exited).toBe(1);
    expect(existsSync(join(dir.path, "pwned"))).toBe(false);
  },
  timeoutMs,
);

test("links nothing beyond glibc, and no symbol newer than glibc 2.17", () => {
  const readelf = (flag: string) => Bun.spawnSync(["readelf", flag, "--wide", binary]).stdout.toString();
  const needed = [...readelf("-d").matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, name = ""]) => name);
  expect(needed.length).toBeGreaterThan(0);
  const glibc = /^(?:libc|libm|libdl|libpthread|librt)\.so\.\d+$|^ld-linux-[\w-]+\.so\.\d+$/;
  expect(needed.filter((name) => !glibc.test(name))).toEqual([]);
  const versions = [...readelf("-V").matchAll(/GLIBC_(\d+)\.(\d+)/g)].map(([, major, minor]) => [
    Number(major),
    Number(minor),
  ]);
  expect(versions.length).toBeGreaterThan(0);
  expect(versions.filter(([major = 0, minor = 0]) => major > 2 || minor > 17)).toEqual([]);
});

test(
  "a reader that goes away early is no error",
  async () => {
    const child = Bun.spawn(["sh", "-c", '"$0" run --help | head -1', binary], {
      stdout: "pipe",
      stderr: "pipe",
    });
    expect(await child.stderr.text()).toBe("");
    expect(await child.stdout.text()).toBe(
      "Builds, shards and renders a transfer, and runs it here or submits it\n",
    );
  },
  timeoutMs,
);
