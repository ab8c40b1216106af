import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatBytes, formatCount } from "../../lib/system/units.ts";
import { sampleObjects } from "../data/fill.ts";
import { S3Endpoint } from "../s3/endpoint.ts";
import { ensureRclone } from "../setup/packages.ts";

/**
 * `bun run demo`: two S3 endpoints on loopback, 2,500 objects in the first, and the compiled xfer that copies them to
 * the second. A second run finds everything done.
 */

const objects = 2_500;
const largestBytes = 40_000_000;
const root = join(import.meta.dir, "..", "..");
const dir = join(root, "dist", "demo");

async function main(): Promise<number> {
  await ensureRclone();
  const build = Bun.spawn([process.execPath, "run", ".ci/build.ts"], { cwd: root, stderr: "inherit" });
  if ((await build.exited) !== 0) return 1;
  mkdirSync(dir, { recursive: true });
  await using source = await S3Endpoint.start({ directory: join(dir, "source"), buckets: ["data"] });
  await using dest = await S3Endpoint.start({ directory: join(dir, "dest"), buckets: ["copy"] });
  fill(source);
  const conf = join(dir, "rclone.conf");
  writeFileSync(conf, `${source.rcloneSection("source")}\n${dest.rcloneSection("dest")}\n`, { mode: 0o600 });
  const argv = [
    ...["dist/xfer", "run", "--executor", "local"],
    ...["--source", "source:data", "--dest", "dest:copy", "--rclone-config", "dist/demo/rclone.conf"],
    ...["--run-dir", "dist/demo/run", "--num-shards", "16"],
  ];
  say(`$ ${argv.join(" ")}`);
  source.resetCounts();
  dest.resetCounts();
  const xfer = Bun.spawn(argv, { cwd: root, stdin: "ignore", stdout: "inherit", stderr: "inherit" });
  const code = await xfer.exited;
  report("source", source);
  report("destination", dest);
  const total = source.counts.total + dest.counts.total;
  say(`requests per object, listing included: ${(total / objects).toFixed(3)}`);
  say(code === 0 ? "Run the demo again: nothing is copied twice." : `xfer ended with exit code ${code}`);
  return code;
}

function fill(endpoint: S3Endpoint): void {
  if (endpoint.keys("data").length >= objects) {
    say(`source: ${formatCount(objects)} objects are there already`);
    return;
  }
  let bytes = 0;
  for (const { key, body, mtime } of sampleObjects(objects, largestBytes)) {
    endpoint.put("data", key, body, { mtime });
    bytes += body.length;
  }
  say(`source: filled with ${formatCount(objects)} objects, ${formatBytes(bytes)}`);
}

function report(name: string, endpoint: S3Endpoint): void {
  const { total, errors, maxInFlight, ...kinds } = endpoint.counts;
  const used = Object.entries(kinds).filter(([, count]) => count > 0);
  const list = used.map(([kind, count]) => `${formatCount(count)} ${kind}`).join(", ") || "none";
  const failed = Object.entries(errors).map(([status, count]) => `, ${count} answered ${status}`);
  say(`requests at the ${name}: ${list}${failed.join("")}`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
