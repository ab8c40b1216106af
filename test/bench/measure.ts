import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** How a program ran. */
export interface Measured {
  code: number;
  seconds: number;
  /** CPU time of the program and of those that it started and waited for: what other load does not change much. */
  cpuSeconds: number;
  peakBytes: number;
  stdout: string;
  stderr: string;
}

/** How often the memory is looked at. */
const lookMs = 20;

/**
 * Runs a program to its end and says how long it took and what memory it had at its peak. The peak is the kernel's own
 * (VmHWM), as it was at the last look: what getrusage says of a child begins with its parent's. Its output goes to files:
 * this process, which may be the S3 endpoint too, has no part in it.
 */
export async function measure(
  argv: readonly string[],
  cwd: string,
  path = process.env.PATH ?? "",
): Promise<Measured> {
  const dir = mkdtempSync(join(tmpdir(), "xfer-measure-"));
  const [out, err] = [join(dir, "out"), join(dir, "err")];
  const started = performance.now();
  const child = Bun.spawn([...argv], {
    cwd,
    // The manifests of the bench name these remotes.
    env: { PATH: path, RCLONE_CONFIG_SRC_TYPE: "s3", RCLONE_CONFIG_DST_TYPE: "s3" },
    stdin: "ignore",
    stdout: Bun.file(out),
    stderr: Bun.file(err),
  });
  let peakBytes = 0;
  const look = () => {
    const peak = peakOf(child.pid);
    if (peak > peakBytes) peakBytes = peak;
  };
  const timer = setInterval(look, lookMs);
  const code = await child.exited;
  const seconds = (performance.now() - started) / 1000;
  clearInterval(timer);
  const [stdout, stderr] = [readFileSync(out, "utf8"), readFileSync(err, "utf8")];
  rmSync(dir, { recursive: true });
  const cpuSeconds = Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1e6;
  return { code, seconds, cpuSeconds, peakBytes, stdout, stderr };
}

function peakOf(pid: number): number {
  try {
    return 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
