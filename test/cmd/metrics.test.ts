import { describe, expect, test } from "bun:test";
import metrics, { optionsOf } from "../../cmd/metrics.ts";
import { optionsGiven, toldOf } from "./command-line.ts";

type Input = Parameters<typeof optionsOf>[0];

const asked = async (line: string) => optionsOf(await optionsGiven<Input>(metrics, `--run-dir run ${line}`));

describe("xfer metrics: where they go", () => {
  test.each<[string, object]>([
    ["", { to: "stdout" }],
    ["--listen 0", { to: "listener", address: { host: "127.0.0.1", port: 0 } }],
    ["--listen [::1]:9469", { to: "listener", address: { host: "::1", port: 9469 } }],
    ["--listen 0.0.0.0:9469 --allow-remote", { to: "listener", address: { host: "0.0.0.0", port: 9469 } }],
    ["--textfile x.prom", { to: "file", path: "x.prom", everyMs: undefined }],
    ["--textfile x.prom --every 30", { to: "file", path: "x.prom", everyMs: 30_000 }],
  ])("%s", async (line, options) => expect(await asked(line)).toEqual(options as never));

  test.each([
    [
      "--listen 0.0.0.0:9469",
      "--listen: other hosts reach 0.0.0.0, and whoever asks is answered: add --allow-remote, or leave the host out",
    ],
    ["--listen 1 --textfile x", "--listen and --textfile exclude each other"],
    ["--every 5", "--every is for --textfile"],
    ["--allow-remote", "--allow-remote is for --listen"],
  ])("%s is refused", async (line, told) => {
    await expect(asked(line)).rejects.toThrow(new Error(told));
  });
});

test.each([
  ["--run-dir run --listen x", '--listen: must be PORT or HOST:PORT, not "x"'],
  ["--run-dir run --every 0 --textfile x", '--every: must be at least 1, not "0"'],
  ["--listen 1", "--run-dir is missing"],
])("xfer metrics %s: a wrong value is told", async (line, told) => {
  expect(await toldOf(metrics, line)).toBe(told);
});
