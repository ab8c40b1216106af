import { join } from "node:path";
import * as v from "valibot";
import { type FarRequest, farRequestSchema } from "../../lib/cluster/forward.ts";
import { sessionId } from "../../lib/cluster/session.ts";
import { invalidInput } from "../../lib/system/errors.ts";

/** The request that the other end of the connection wrote to stdin, and the folder of its session. */
export async function readRequest(): Promise<{ request: FarRequest; dir: string }> {
  const text = await Bun.stdin.text();
  try {
    const result = v.safeParse(farRequestSchema, JSON.parse(text));
    if (result.success)
      return { request: result.output, dir: join(result.output.folder, sessionId(result.output)) };
  } catch {
    // No JSON: as below.
  }
  throw invalidInput("stdin holds no xfer.far.v1: this command is for another xfer to call");
}
