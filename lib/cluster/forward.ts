import * as v from "valibot";
import { exitCodes, messageOf, XferError } from "../system/errors.ts";
import { quoteWords } from "../system/shell-words.ts";
import type { FarEnd } from "./far-end.ts";

/** What the far end's `xfer far` commands read on their stdin: a session's words, and where it is. */
export const farRequestSchema = v.strictObject({
  schema: v.literal("xfer.far.v1"),
  /** The folder of all sessions. */
  folder: v.string(),
  cwd: v.string(),
  words: v.tupleWithRest([v.string()], v.string()),
});

export type FarRequest = v.InferOutput<typeof farRequestSchema>;

/** The binary that was put at the far end, and the folder for run directories there. */
export interface FarXfer {
  binary: string;
  runRoot: string;
}

/** How a command's outputs come back, and how it is stopped. */
interface ForwardOptions {
  onStdout: (bytes: Uint8Array) => void;
  onStderr: (bytes: Uint8Array) => void;
  /** Aborted once to stop the command at the far end, which may take its time to end in good order. */
  stop: AbortSignal;
  /** Aborted to look at it no longer: it goes on. */
  detach: AbortSignal;
}

/**
 * Runs xfer's words at the far end as a session, which outlives the connection, and returns its exit code. Throws, exit code
 * 75, when the connection is lost: the command goes on there, and the same one again shows how it ends.
 */
export async function forward(
  end: FarEnd,
  far: FarXfer,
  words: readonly string[],
  options: ForwardOptions,
): Promise<number> {
  const request: FarRequest = {
    schema: "xfer.far.v1",
    folder: `${far.runRoot}/.xfer/sessions`,
    cwd: far.runRoot,
    words: [far.binary, ...words],
  };
  const call = (verb: string) => ({
    script: `cd ${quoteWords([far.runRoot])} && exec ${quoteWords([far.binary, "far", verb])}`,
    input: (async function* () {
      yield new TextEncoder().encode(JSON.stringify(request));
    })(),
  });
  const onStop = () => {
    const { script, input } = call("stop");
    // What becomes of it is seen by how the command ends.
    void end.run(script, { input }).catch(() => undefined);
  };
  options.stop.addEventListener("abort", onStop);
  try {
    const { script, input } = call("attach");
    const { code } = await end.run(script, {
      input,
      onStdout: options.onStdout,
      onStderr: options.onStderr,
      stop: options.detach,
    });
    const forget = call("forget");
    await end.run(forget.script, { input: forget.input }).catch(() => undefined);
    return code;
  } catch (error) {
    if (!(error instanceof XferError) || error.exitCode === exitCodes.failed) throw error;
    throw new XferError(
      `${messageOf(error)}: the command goes on at ${end.host}; run it again here to see how it ends`,
      error.exitCode,
    );
  } finally {
    options.stop.removeEventListener("abort", onStop);
  }
}
