import { randomBytes } from "node:crypto";
import { XferError } from "../system/errors.ts";
import { sleep, stoppedError, stopReason } from "../system/interrupt.ts";
import { type Child, startChild } from "../system/process.ts";
import { FramedOutput, farCommand, framedScript } from "./far-shell.ts";
import { sshFailure } from "./ssh-failure.ts";

/** How a script is run at a far end. */
export interface FarRun {
  /** What it reads on its stdin. */
  input?: AsyncIterable<Uint8Array>;
  /** Gets its output as it comes, in place of the result's text. */
  onStdout?: (bytes: Uint8Array) => void | Promise<void>;
  onStderr?: (bytes: Uint8Array) => void;
  stop?: AbortSignal;
}

/** How a script ended. */
interface FarResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Where a cluster's commands are run: its login node over ssh, or this host. */
export interface FarEnd {
  /** How messages call it. */
  readonly host: string;
  /**
   * Runs a script of a POSIX shell to its end. Throws when the host cannot be reached (exit code 1), when the connection
   * is lost or the command was asked to stop (75, 130).
   */
  run(script: string, options?: FarRun): Promise<FarResult>;
}

/** This host, for who works on the login node itself. */
export function thisHost(): FarEnd {
  return farEnd("this host", (script) => ["/bin/sh", "-c", script]);
}

/** A host reached by ssh and the words that are its options. */
export function sshHost(host: string, ssh: readonly string[]): FarEnd {
  return farEnd(host, (script) => [...ssh, "--", host, farCommand(script)]);
}

function farEnd(host: string, argvOf: (script: string) => string[]): FarEnd {
  return {
    host,
    async run(script, options = {}) {
      const mark = `xfer-${randomBytes(12).toString("hex")}`;
      const kept = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
      const keep = (into: Uint8Array[]) => (bytes: Uint8Array) => void into.push(bytes.slice());
      const stdout = new FramedOutput(mark, options.onStdout ?? keep(kept.stdout));
      const stderr = new FramedOutput(mark, options.onStderr ?? keep(kept.stderr));
      const child = startChild(argvOf(framedScript(script, mark)), {
        ...(options.input === undefined ? {} : { input: options.input }),
      });
      await endOf(child, { stdout, stderr }, options.stop);
      if (stdout.code === undefined) {
        const failure = sshFailure(host, stderr.noise, stdout.hasBegun);
        throw new XferError(failure.text, failure.exitCode);
      }
      const text = (chunks: Uint8Array[]) => Buffer.concat(chunks).toString();
      return { code: stdout.code, stdout: text(kept.stdout), stderr: text(kept.stderr) };
    },
  };
}

/** How long a child that was asked to end may take. */
const graceMs = 5000;

async function endOf(
  child: Child,
  outputs: { stdout: FramedOutput; stderr: FramedOutput },
  stop: AbortSignal | undefined,
): Promise<void> {
  const onStop = () => {
    child.signalGroup("SIGTERM");
    void sleep(graceMs, ended.signal).then(() => ended.signal.aborted || child.signalGroup("SIGKILL"));
  };
  const ended = new AbortController();
  if (stop?.aborted) onStop();
  stop?.addEventListener("abort", onStop);
  try {
    const read = async (output: AsyncIterable<Uint8Array>, framed: FramedOutput) => {
      for await (const chunk of output) await framed.add(chunk);
    };
    await Promise.all([read(child.stdout, outputs.stdout), read(child.stderr, outputs.stderr), child.exited]);
  } finally {
    ended.abort();
    stop?.removeEventListener("abort", onStop);
  }
  const reason = stop && stopReason(stop);
  if (reason && outputs.stdout.code === undefined) throw stoppedError(reason, "run the same command again");
}
