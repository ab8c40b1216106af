import type { Report, Unproven } from "../../../lib/operate/report/schema.ts";
import { forEachUnproven } from "../../../lib/operate/report/unproven.ts";
import type { Write } from "./visible.ts";

/** Writes a report as one line of JSON, schema xfer.report.v1. The objects come last, since they may be many. */
export async function writeReportJson(report: Report, write: Write): Promise<void> {
  await write(`${JSON.stringify(report).slice(0, -1)},"objects":[`);
  let isFirst = true;
  await forEachUnproven(report, async (objects: readonly Unproven[]) => {
    const text = objects.map((object) => JSON.stringify(object)).join(",");
    await write(isFirst ? text : `,${text}`);
    isFirst = false;
  });
  await write("]}\n");
}
