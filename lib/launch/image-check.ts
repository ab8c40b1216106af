import { accessSync, constants, statSync } from "node:fs";
import { isAbsolute } from "node:path";
import type { RuntimeName } from "../rclone/runtime.ts";
import { errnoOf, invalidInput, operationFailed } from "../system/errors.ts";

/** The part of a run's configuration that names the image of its tasks. */
interface ImageUse {
  runtime: RuntimeName;
  rclone_image: string | null;
}

/**
 * Looks at a run's image before its array is submitted, once for all tasks. Returns a warning for an image that every
 * task would pull from a registry. Throws when a local image is not there or cannot be read here.
 */
export function checkImageReadable({ runtime, rclone_image: image }: ImageUse): string | undefined {
  if (runtime === "host" || image === null) return undefined;
  if (!isAbsolute(image)) return pullWarning(runtime, image);
  const what = whyUnreadable(image);
  if (what === undefined) return undefined;
  throw operationFailed(
    `${image}: ${what}, nothing was submitted: put it there, or render the run again with another --rclone-image; ` +
      "if only the compute nodes see it, submit with --no-image-check",
  );
}

/** Throws invalid input when the image that a listing or a run needs is a local file that cannot be read here. */
export function requireImageHere(runtime: RuntimeName, image: string | undefined): void {
  if (runtime === "host" || image === undefined || !isAbsolute(image)) return;
  const what = whyUnreadable(image);
  if (what === undefined) return;
  throw invalidInput(
    `--rclone-image: ${image}: ${what}: put it there, or add --no-image-check if only the compute nodes see it`,
  );
}

/** Why an image that is a file, or an unpacked folder, cannot be read on this host; undefined when it can. */
export function whyUnreadable(image: string): string | undefined {
  try {
    const folder = statSync(image).isDirectory();
    accessSync(image, constants.R_OK | (folder ? constants.X_OK : 0));
    return undefined;
  } catch (error) {
    const code = errnoOf(error);
    return code === "ENOENT" ? "no such image here" : `the image cannot be read here (${code})`;
  }
}

/** What to do in place of having each task pull an image from a registry. */
export function pullWarning(runtime: RuntimeName, image: string): string {
  const source = image.includes("://") ? image : `docker://${image}`;
  const remedy =
    runtime === "apptainer"
      ? `apptainer pull /shared/rclone.sif ${source}`
      : `enroot import -o /shared/rclone.sqsh ${source}`;
  return (
    `every task would pull ${image} from its registry: make one file that all nodes see (${remedy}) ` +
    "and give that as --rclone-image"
  );
}
