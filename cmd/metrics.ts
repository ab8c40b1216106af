import { expositionText } from "../lib/operate/exposition.ts";
import { isLoopback, type ListenAddress, parseListenAddress } from "../lib/operate/listen-address.ts";
import { serveMetrics } from "../lib/operate/metrics-server.ts";
import { RunMetrics } from "../lib/operate/run-metrics.ts";
import { RunReader } from "../lib/operate/run-reader.ts";
import { replaceFile } from "../lib/system/durable.ts";
import { errnoOf, invalidInput, messageOf, XferError } from "../lib/system/errors.ts";
import { sleep, stopSignals, throwIfStopped, watchForStop } from "../lib/system/interrupt.ts";
import { log } from "../lib/system/log.ts";
import { command } from "./cli/command.ts";
import { clusterFlag } from "./flags/cluster.ts";
import type { OptionsOf } from "./flags/flag.ts";
import { flag } from "./flags/make.ts";
import { runDirFlag } from "./flags/run-dir.ts";
import { print } from "./view/print.ts";

/** How long an answer is kept for whoever asks next. */
const keepMs = 3_000;

const metricsFlags = {
  "run-dir": runDirFlag,
  listen: flag.parsed(parseListenAddress, "must be PORT or HOST:PORT", {
    group: "what",
    common: true,
    valueHint: "ADDRESS",
    description: "answer GET /metrics at PORT of 127.0.0.1, or at HOST:PORT; 0 is a free port",
  }),
  "allow-remote": flag.on({
    group: "what",
    description: "let --listen take an address that other hosts reach",
  }),
  textfile: flag.file({
    group: "what",
    common: true,
    description: "write this file, for node_exporter's textfile collector",
  }),
  every: flag.whole(1, 86_400, {
    group: "what",
    common: true,
    valueHint: "SECONDS",
    description: "write --textfile again and again",
  }),
  cluster: clusterFlag,
};

/** Where the metrics go. */
type MetricsOptions =
  | { to: "stdout" }
  | { to: "listener"; address: ListenAddress }
  | { to: "file"; path: string; everyMs: number | undefined };

/** What the flags ask for. Throws invalid input for flags that contradict each other. */
export function optionsOf(input: OptionsOf<typeof metricsFlags>): MetricsOptions {
  const { listen, textfile, every } = input;
  if (listen && textfile !== undefined) throw invalidInput("--listen and --textfile exclude each other");
  if (every !== undefined && textfile === undefined) throw invalidInput("--every is for --textfile");
  if (!listen) {
    if (input["allow-remote"]) throw invalidInput("--allow-remote is for --listen");
    if (textfile === undefined) return { to: "stdout" };
    return { to: "file", path: textfile, everyMs: every && every * 1000 };
  }
  if (!isLoopback(listen.host) && !input["allow-remote"]) {
    throw invalidInput(
      `--listen: other hosts reach ${listen.host}, and whoever asks is answered: add --allow-remote, or leave the host out`,
    );
  }
  return { to: "listener", address: listen };
}

export default command({
  name: "xfer metrics",
  description: "Tells how a run stands, in Prometheus' text format",
  details: [
    "Without --listen and --textfile they are printed once. Every metric has the run's id as label run_id.",
    "Whoever asks a listener within 3 s of another gets the same answer: the state files are read no more often. " +
      "The textfile collector reads files named *.prom.",
  ],
  examples: [
    { says: "Print them once", line: "xfer metrics --run-dir run" },
    { says: "For a Prometheus on this host", line: "xfer metrics --run-dir run --listen 9469" },
    {
      says: "For node_exporter, twice a minute",
      line: "xfer metrics --run-dir run --textfile /var/lib/node_exporter/xfer.prom --every 30",
    },
  ],
  flags: metricsFlags,
  async run(input) {
    const options = optionsOf(input);
    const { signal: stop } = watchForStop(stopSignals);
    const read = readerOf(input["run-dir"]);
    // What is wrong with the run is told before anybody asks.
    const first = await read();
    if (options.to === "stdout") return await print(first);
    if (options.to === "file") return await writeFiles(options, { first, read, stop });
    const server = serveMetrics(options.address, read, keepMs);
    await print(`${server.url}\n`);
    await new Promise<void>((resolve) => {
      if (stop.aborted) resolve();
      else stop.addEventListener("abort", () => resolve());
    });
    await server.stop();
    throwIfStopped(stop, again);
  },
});

const again = "run the same command again";

/** Reads a run as the text of its metrics; counters go on from one reading to the next. */
function readerOf(runDir: string): () => Promise<string> {
  const reader = new RunReader(runDir);
  const metrics = new RunMetrics();
  return async () => {
    const { families, labels } = metrics.of(await reader.read(), Date.now());
    return expositionText(families, labels);
  };
}

async function writeFiles(
  { path, everyMs }: MetricsOptions & { to: "file" },
  { first, read, stop }: { first: string; read: () => Promise<string>; stop: AbortSignal },
): Promise<void> {
  replaceFile(path, first);
  while (everyMs !== undefined) {
    await sleep(everyMs, stop);
    throwIfStopped(stop, again);
    try {
      replaceFile(path, await read());
    } catch (error) {
      // A file system that is away for a while is no reason to end: the time of the file tells how old it is.
      if (!(error instanceof XferError) && errnoOf(error) === undefined) throw error;
      log.warn(messageOf(error));
    }
  }
}
