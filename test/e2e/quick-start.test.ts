import { expect, test } from "bun:test";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory, timeoutMs, xfer } from "../stage/harness.ts";

test(
  "where there is no rclone.conf, one line says where it was looked for and what to do",
  async () => {
    using dir = temporaryDirectory();
    mkdirSync(join(dir.path, "set"));
    const local = ["run", "--executor", "local", "--source", "set", "--dest"];
    const result = await xfer([...local, "store:bucket"], { cwd: dir.path });
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toBe(
      `xfer: --dest: names the remote store, but there is no rclone.conf (looked for ${dir.path}/.config/rclone/` +
        'rclone.conf): make it with "rclone config", or name another file with --rclone-config; a path with a colon in ' +
        "its first name is written ./store:bucket\n",
    );
    expect(readdirSync(dir.path)).toEqual(["set"]);
  },
  timeoutMs,
);
