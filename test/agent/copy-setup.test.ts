import { expect, test } from "bun:test";
import { type CopySetup, copySetupOf } from "../../agent/copy-setup.ts";
import { configOf } from "./config-of.ts";

const store = (name: string, endpoint: string) => ({
  [`RCLONE_CONFIG_${name}_TYPE`]: "s3",
  [`RCLONE_CONFIG_${name}_ENDPOINT`]: endpoint,
});
const apart = { RCLONE_CONFIG: "", ...store("SRC", "http://one"), ...store("DST", "http://other") };
const together = { RCLONE_CONFIG: "", ...store("SRC", "http://one"), ...store("DST", "http://one") };

test.each<[source: string, dest: string, env: Record<string, string>, kinds: Partial<CopySetup["kinds"]>]>([
  ["/in", "/out", {}, { source: "posix", dest: "posix", serverSide: "apart" }],
  ["src:b", "/out", apart, { source: "s3", dest: "posix", serverSide: "apart" }],
  ["src:b", "dst:b", apart, { source: "s3", dest: "s3", serverSide: "apart" }],
  ["src:b", "dst:b", together, { serverSide: "same-endpoint" }],
  ["src:a", "src:b", apart, { serverSide: "same-remote" }],
  ["src:b", "dst:b", { ...apart, RCLONE_S3_COPY_CUTOFF: "1M" }, { serverCopyCutoffBytes: 1024 * 1024 }],
])("the ends of a copy from %s to %s", (source, dest, env, kinds) => {
  expect(copySetupOf(configOf(source, dest), env).kinds).toMatchObject(kinds);
});

test("files of the source and the destination are known where they lie on this host", () => {
  const { sourcePath, destEnds } = copySetupOf(configOf("/in", "/out"), {});
  expect([sourcePath, destEnds]).toEqual(["/in", { paths: ["/out"], certain: true }]);
  const stores = copySetupOf(configOf("src:b", "dst:b"), apart);
  expect([stores.sourcePath, stores.destEnds]).toEqual([undefined, { paths: [], certain: true }]);
});

test("a flag of the environment counts where the configuration has none", () => {
  const env = { RCLONE_TRANSFERS: "3" };
  const given = copySetupOf(configOf("/in", "/out", { rclone_flags: ["--transfers", "9"] }), env);
  expect(given.flags.transfers).toBe(9);
  expect(copySetupOf(configOf("/in", "/out"), env).flags.transfers).toBe(3);
});
