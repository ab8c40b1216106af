import type { Report, Unproven } from "../../../lib/operate/report/schema.ts";
import { forEachUnproven } from "../../../lib/operate/report/unproven.ts";
import { visibleText, type Write } from "./visible.ts";

/** JSON in which what would not be seen is escaped, as JSON has it: it may go to a terminal. */
const shownJson = (value: unknown): string => visibleText(JSON.stringify(value));

/** Writes a report as one line of JSON, schema xfer.report.v1. The objects come last, since they may be many. */
export async function writeReportJson(report: Report, write: Write): Promise<void> {
  await write(`${shownJson(report).slice(0, -1)},"objects":[`);
  let isFirst = true;
  await forEachUnproven(report, async (objects: readonly Unproven[]) => {
    const text = objects.map((object) => shownJson(object)).join(",");
    await write(isFirst ? text : `,${text}`);
    isFirst = false;
  });
  await write("]}\n");
}
