import { resolve } from "node:path";
import * as v from "valibot";
import { absoluteImage, type RuntimeName, runtimeNames } from "../../lib/rclone/runtime.ts";
import { imageProblem, slurmWordsProblem } from "../../lib/rclone/secrets.ts";
import { srunExtras } from "../../lib/slurm/sbatch-extras.ts";
import { invalidInput } from "../../lib/system/errors.ts";
import type { OptionsOf } from "./flag.ts";
import { flag } from "./make.ts";

/** A path of this host, absolute: where rclone runs there is another current directory. */
const pathHere = v.pipe(
  v.string(),
  v.minLength(1, "must not be empty"),
  v.transform((path) => resolve(path)),
);

const inContainer = (path: string) => (path.startsWith("/") ? path : undefined);

/** How rclone is reached. */
export const rcloneFlags = {
  runtime: flag.oneOf(runtimeNames, {
    group: "rclone",
    defaultText: "pyxis",
    description: "how rclone is reached: in a container by srun, in one by apptainer, or from PATH",
  }),
  "rclone-image": flag.text({
    valueHint: "IMAGE",
    group: "rclone",
    common: true,
    completes: "file",
    description: "container image that all nodes see; none with host",
  }),
  "rclone-config": flag.read(pathHere, {
    valueHint: "FILE",
    group: "rclone",
    common: true,
    completes: "file",
    defaultText: "rclone's own",
    description: "rclone.conf, where rclone runs",
  }),
  "rclone-conf-in-container": flag.parsed(inContainer, "must be an absolute path", {
    default: "/etc/rclone/rclone.conf",
    valueHint: "FILE",
    group: "rclone",
    otherNames: ["container-conf-path"],
    description: "where rclone.conf is mounted in rclone's container",
  }),
  "pyxis-extra": flag.words(
    { group: "rclone", description: "more options for srun" },
    { read: srunExtras, problemOf: slurmWordsProblem },
  ),
};

/** Before rclone is run in an image, here or by an array. */
export const imageCheckFlag = flag.onOff({
  default: true,
  group: "rclone",
  description: "look first whether the image can be read",
  negativeDescription: "do not look at the image: only the compute nodes see it",
});

/** The image of --rclone-image; a local file is an absolute path. */
export function imageOf(
  input: Pick<OptionsOf<typeof rcloneFlags>, "rclone-image">,
  runtime: RuntimeName,
): string | undefined {
  const image = input["rclone-image"];
  const problem = image && imageProblem(image);
  if (problem) throw invalidInput(`--rclone-image: ${problem}`);
  return image && absoluteImage(image, runtime, process.cwd());
}
