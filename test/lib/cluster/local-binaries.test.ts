import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { binaryFolders, localBinaries } from "../../../lib/cluster/local-binaries.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

test.each([
  [
    { XDG_CONFIG_HOME: "/c", XDG_DATA_HOME: "/d" },
    "/opt/xfer/xfer",
    ["/opt/xfer", "/c/xfer/bin", "/d/xfer/bin"],
  ],
  [
    { XDG_CONFIG_HOME: "relative" },
    undefined,
    [join(homedir(), ".config/xfer/bin"), join(homedir(), ".local/share/xfer/bin")],
  ],
])("with %j and this program at %s, binaries are looked for in %j", (env, own, folders) => {
  expect(binaryFolders(env, own)).toEqual(folders);
});

test("files of this version's name are found, others and folders that are not there are passed over", () => {
  using dir = temporaryDirectory();
  const env = { XDG_CONFIG_HOME: join(dir.path, "config"), XDG_DATA_HOME: join(dir.path, "none") };
  const bin = join(dir.path, "config", "xfer", "bin");
  mkdirSync(bin, { recursive: true });
  for (const name of ["xfer-1.2.3-linux-arm64", "xfer-1.2.2-linux-arm64", "xfer-1.2.3-linux-x64"]) {
    writeFileSync(join(bin, name), name);
  }
  const own = join(dir.path, "xfer");
  writeFileSync(own, "me");
  const choice = localBinaries("Linux aarch64", { env, version: "1.2.3", own, given: undefined });
  expect(choice.found.map(({ path, head }) => [path, Buffer.from(head).toString()])).toEqual([
    [join(bin, "xfer-1.2.3-linux-arm64"), "xfer-1.2.3-linux-arm64"],
  ]);
  expect(choice.own?.path).toBe(own);
  expect(() =>
    localBinaries("Linux aarch64", { env, version: "1.2.3", own, given: join(dir.path, "no") }),
  ).toThrow(/--cluster-binary: .*no: no such file/);
  expect(() => localBinaries("Linux aarch64", { env, version: "1.2.3", own, given: dir.path })).toThrow(
    /is a folder/,
  );
});
