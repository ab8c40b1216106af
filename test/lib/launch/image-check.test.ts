import { expect, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkImageReadable, requireImageHere } from "../../../lib/launch/image-check.ts";
import type { RuntimeName } from "../../../lib/rclone/runtime.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

test.each<[RuntimeName, string | null, string | undefined]>([
  ["host", "/nowhere/rclone.sif", undefined],
  ["pyxis", null, undefined],
  ["pyxis", "rclone/rclone:1.65", "enroot import -o /shared/rclone.sqsh docker://rclone/rclone:1.65"],
  ["pyxis", "docker://rclone/rclone", "enroot import -o /shared/rclone.sqsh docker://rclone/rclone"],
  ["apptainer", "docker://rclone/rclone", "apptainer pull /shared/rclone.sif docker://rclone/rclone"],
  ["apptainer", "./rclone.sif", "apptainer pull /shared/rclone.sif docker://./rclone.sif"],
])("under %s the image %p is warned of: %s", (runtime, image, remedy) => {
  const warning = checkImageReadable({ runtime, rclone_image: image });
  if (remedy === undefined) expect(warning).toBeUndefined();
  else expect(warning).toContain(`(${remedy}) and give that as --rclone-image`);
  // A listing pulls it once: no word.
  expect(() => requireImageHere(runtime, image ?? undefined)).not.toThrow();
});

test("an image that is a file must be there, or a folder, before anything is submitted or listed", () => {
  using dir = temporaryDirectory();
  const file = join(dir.path, "rclone.sif");
  writeFileSync(file, "");
  mkdirSync(join(dir.path, "unpacked"));
  for (const image of [file, join(dir.path, "unpacked")]) {
    expect(checkImageReadable({ runtime: "apptainer", rclone_image: image })).toBeUndefined();
    expect(() => requireImageHere("apptainer", image)).not.toThrow();
  }
  symlinkSync(join(dir.path, "gone"), join(dir.path, "link"));
  for (const [image, what] of [
    [join(dir.path, "gone.sif"), "no such image here"],
    [join(dir.path, "link"), "no such image here"],
    [join(file, "below"), "the image cannot be read here (ENOTDIR)"],
  ] as const) {
    expect(() => checkImageReadable({ runtime: "pyxis", rclone_image: image })).toThrow(
      expect.objectContaining({
        exitCode: 1,
        message: expect.stringContaining(`${image}: ${what}, nothing was submitted`),
      }),
    );
    expect(() => requireImageHere("pyxis", image)).toThrow(
      expect.objectContaining({
        exitCode: 2,
        message: expect.stringContaining(`--rclone-image: ${image}: ${what}: `),
      }),
    );
    expect(() => requireImageHere("host", image)).not.toThrow();
  }
});
