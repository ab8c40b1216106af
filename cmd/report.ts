import { readReport } from "../lib/operate/report/report.ts";
import type { Report } from "../lib/operate/report/schema.ts";
import { writeWhole } from "../lib/system/durable.ts";
import { invalidInput } from "../lib/system/errors.ts";
import { formatBytes } from "../lib/system/units.ts";
import { version } from "../package.json" with { type: "json" };
import { command } from "./cli/command.ts";
import { checkResultFile } from "./flags/checks.ts";
import { clusterFlag } from "./flags/cluster.ts";
import type { OptionsOf } from "./flags/flag.ts";
import { flag } from "./flags/make.ts";
import { runDirFlag } from "./flags/run-dir.ts";
import { LiveLine } from "./view/live-line.ts";
import { print } from "./view/print.ts";
import { type CsvKind, csvKinds, writeReportCsv } from "./view/report/csv.ts";
import { writeReportHtml } from "./view/report/html.ts";
import { writeReportJson } from "./view/report/json.ts";
import { writeReportMarkdown } from "./view/report/markdown.ts";
import type { Write } from "./view/report/visible.ts";

const formats = ["md", "html", "json", "csv"] as const;

const reportFlags = {
  "run-dir": runDirFlag,
  format: flag.oneOf(formats, {
    default: "md",
    group: "output",
    common: true,
    description: "Markdown, a page for a browser, JSON, or a table for other programs",
  }),
  csv: flag.oneOf(csvKinds, {
    group: "output",
    common: true,
    defaultText: "objects",
    description: "the table of --format csv: objects that are not proven, or shards",
  }),
  out: flag.file({
    group: "output",
    common: true,
    defaultText: "standard output",
    description: "the file to write",
  }),
  cluster: clusterFlag,
};

/** What a report is written as, and where to. */
interface ReportTo {
  format: (typeof formats)[number];
  csv: CsvKind;
  /** Undefined for standard output. */
  out: string | undefined;
}

/** What the flags ask for. Throws invalid input for flags that contradict each other. */
export function optionsOf({ format, csv, out }: OptionsOf<typeof reportFlags>): ReportTo {
  if (csv !== undefined && format !== "csv") throw invalidInput(`--csv is for --format csv, not ${format}`);
  return { format, csv: csv ?? "objects", out };
}

export default command({
  name: "xfer report",
  description: "Tells what was asked, what happened, and what is proven of a run",
  details: [
    "It is made of the run directory alone, at any time. It names every object that is not proven, with the reason; attempts, " +
      "faults and events over time; throughput; versions; digests. The page of --format html is one file that loads nothing.",
  ],
  examples: [
    { says: "Read it", line: "xfer report --run-dir run" },
    { says: "A page to keep", line: "xfer report --run-dir run --format html --out report.html" },
    { says: "Objects that are not proven, a row each", line: "xfer report --run-dir run --format csv" },
  ],
  flags: reportFlags,
  async run(input) {
    const to = optionsOf(input);
    if (to.out !== undefined) checkResultFile("--out", to.out);
    const report = await readReport({ runDir: input["run-dir"], version, now: new Date() });
    if (to.out === undefined) return await writeReport(report, to, print);
    const live = new LiveLine();
    let written = 0;
    await writeWhole(to.out, (file) =>
      writeReport(report, to, async (text) => {
        file.writeText(text);
        written += text.length;
        live.update(`writing the report: ${formatBytes(written)}`);
      }),
    );
    live.clear();
  },
});

function writeReport(report: Report, { format, csv, out }: ReportTo, write: Write): Promise<void> {
  switch (format) {
    case "md":
      return writeReportMarkdown(report, write);
    case "html":
      return writeReportHtml(report, write);
    case "json":
      return writeReportJson(report, write);
    case "csv":
      return writeReportCsv(
        report,
        { kind: csv, isShown: out === undefined && process.stdout.isTTY === true },
        write,
      );
  }
}
