import * as v from "valibot";
import { failureClasses } from "../../rclone/failure-class.ts";
import { replaceFile } from "../../system/durable.ts";
import { readJsonFile } from "../../system/json-file.ts";

/** The schema of destination.failed. */
export const failureSchema = v.object({
  schema: v.literal("xfer.look-failure.v1"),
  /** The token of the claim under which the look was made. */
  token: v.string(),
  class: v.picklist(failureClasses),
  message: v.string(),
  final: v.optional(v.boolean(), false),
});

/** Why a look at the destination failed. */
export type LookFailure = Pick<v.InferOutput<typeof failureSchema>, "class" | "message" | "final">;

/** Writes destination.failed: the look that was made under the claim with this token has failed. */
export function writeLookFailure(path: string, token: string, failure: LookFailure): void {
  const { class: name, message, final } = failure;
  const content = { schema: "xfer.look-failure.v1", token, class: name, message, final };
  replaceFile(path, `${JSON.stringify(content)}\n`);
}

/** Reads destination.failed; undefined when it does not tell of the look that was made under this token. */
export function readLookFailure(path: string, token: string): LookFailure | undefined {
  const file = readJsonFile(path, failureSchema);
  if (file.kind !== "value" || file.value.token !== token) return undefined;
  const { class: name, message, final } = file.value;
  return { class: name, message, final };
}
