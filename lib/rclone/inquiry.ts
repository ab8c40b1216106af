import { startChild } from "../system/process.ts";
import { afterRunning } from "../system/running-time.ts";
import { debugLine } from "./log.ts";

/** A place that takes longer to answer counts as silent. */
const limitMs = 15_000;
const stderrMax = 64 * 1024;

/**
 * Flags that make rclone give up at once and say why. Without them the library that talks to S3 repeats its requests for
 * minutes, with no line in any log.
 */
export const inquiryFlags: readonly string[] = [
  "--low-level-retries",
  "1",
  "--retries",
  "1",
  "--contimeout",
  "5s",
  "--timeout",
  "10s",
];

/**
 * Runs a listing that gives up at once, and returns its message about a place that does not answer; undefined for a place
 * that answers. The listing is stopped at its first entry.
 */
export async function inquire(
  argv: readonly string[],
  env: Record<string, string>,
  stop: AbortSignal,
): Promise<string | undefined> {
  if (stop.aborted) return undefined;
  const child = startChild(argv, { env });
  let outcome: "answers" | "silent" | undefined;
  const end = (as: typeof outcome) => {
    outcome ??= as;
    child.signalGroup("SIGKILL");
  };
  const onStop = () => end("answers");
  stop.addEventListener("abort", onStop, { once: true });
  const callOff = afterRunning(limitMs, () => end("silent"));
  try {
    let said = "";
    const decoder = new TextDecoder();
    const reading = Promise.all([
      (async () => {
        // rclone prints its opening bracket before it looks at the place.
        for await (const chunk of child.stdout) if (/[^\s[]/.test(decoder.decode(chunk))) end("answers");
      })(),
      (async () => {
        const errors = new TextDecoder();
        for await (const chunk of child.stderr) {
          said = (said + errors.decode(chunk, { stream: true })).slice(-stderrMax);
        }
      })(),
    ]);
    const exit = await child.exited;
    child.signalGroup("SIGKILL");
    await reading;
    if (outcome === "answers" || exit.code === 0) return undefined;
    if (outcome === "silent") return "i/o timeout: no answer";
    return said
      .split("\n")
      .filter((line) => !debugLine.test(line))
      .join(" ")
      .trim();
  } finally {
    callOff();
    stop.removeEventListener("abort", onStop);
  }
}
