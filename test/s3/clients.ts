import { createHash, createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { S3Endpoint } from "./endpoint.ts";

/** A directory that is removed when it goes out of scope. */
export function temporaryDirectory(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "xfer-s3-test-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** How a run of rclone ended. */
interface RcloneResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs the real rclone with only these config sections and no settings from the environment. */
export async function rclone(config: string, args: readonly string[]): Promise<RcloneResult> {
  using directory = temporaryDirectory();
  const configPath = join(directory.path, "rclone.conf");
  writeFileSync(configPath, config);
  const env = { PATH: process.env.PATH ?? "", HOME: directory.path };
  const child = Bun.spawn(["rclone", "--config", configPath, ...args], {
    env,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { exitCode: await child.exited, stdout, stderr };
}

/** Like rclone(), but throws with rclone's own words when it fails. */
export async function rcloneOk(config: string, args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await rclone(config, args);
  if (exitCode !== 0) throw new Error(`rclone ${args.join(" ")} exited with ${exitCode}:\n${stderr}`);
  return stdout;
}

interface RawRequest {
  method: string;
  /** Sent as it is, so it must be percent-encoded already. */
  path: string;
  /** Encoded parameters in alphabetical order. */
  query?: string;
  headers?: Record<string, string>;
  body?: string;
}

interface RawResponse {
  status: number;
  head: string;
  body: string;
}

/** Sends one signed request over a bare socket: no client library touches path, headers or body. */
export function send(endpoint: S3Endpoint, request: RawRequest): Promise<RawResponse> {
  const { method, path, query = "", body = "" } = request;
  const stamp = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const headers: Record<string, string> = {
    host: `127.0.0.1:${endpoint.port}`,
    "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
    "x-amz-date": stamp,
    ...request.headers,
  };
  const names = Object.keys(headers).sort();
  const canonical = [
    method,
    path,
    query,
    ...names.map((name) => `${name}:${headers[name]?.replace(/ +/g, " ")}`),
    "",
    names.join(";"),
  ];
  const hashed = sha256([...canonical, headers["x-amz-content-sha256"]].join("\n"));
  const scope = `${stamp.slice(0, 8)}/${endpoint.region}/s3/aws4_request`;
  let key = Buffer.from(`AWS4${endpoint.secretAccessKey}`);
  for (const part of scope.split("/")) key = Buffer.from(createHmac("sha256", key).update(part).digest());
  const text = `AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${hashed}`;
  const signature = createHmac("sha256", key).update(text).digest("hex");
  const credential = `${endpoint.accessKeyId}/${scope}`;
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  headers.connection = "close";
  headers["content-length"] = String(Buffer.byteLength(body));
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const target = query === "" ? path : `${path}?${query}`;
  return exchange(endpoint.port, `${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
}

function exchange(port: number, bytes: string): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    socket.on("data", (chunk) => chunks.push(typeof chunk === "string" ? Buffer.from(chunk) : chunk));
    socket.on("error", reject);
    socket.on("close", () => {
      const text = Buffer.concat(chunks).toString("utf8");
      const end = text.indexOf("\r\n\r\n");
      const head = text.slice(0, end).toLowerCase();
      resolve({ status: Number(head.split(" ")[1]), head, body: text.slice(end + 4) });
    });
  });
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
