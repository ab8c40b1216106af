import { formatCount } from "../../../lib/system/units.ts";
import { escapeHtml, nameHtml } from "./escape.ts";

/** A cell of a table: what is shown, and by which it is sorted. */
export interface Cell {
  html: string;
  /** Null for a text, which is sorted as it is shown. */
  sort: string | null;
  /** Classes. */
  look: string;
}

/** A cell with a text of others. */
export const textCell = (text: string, look = ""): Cell => ({
  ...{ html: text === "" ? "" : nameHtml(text), sort: null, look },
});

/** A cell with a number, which may be shown in another way. */
export const numberCell = (value: number, shown = formatCount(value)): Cell => ({
  ...{ html: escapeHtml(shown), sort: String(value), look: "number" },
});

/** A cell with a time, to the second in UTC; nothing for null. */
export const timeCell = (at: string | null): Cell => ({
  ...{ html: at === null ? "" : escapeHtml(at.slice(0, 19).replace("T", " ")), sort: at ?? "", look: "time" },
});

/** A row of a table. */
export function rowHtml(cells: readonly Cell[]): string {
  const parts = cells.map(({ html, sort, look }) => {
    const looks = look === "" ? "" : ` class="${look}"`;
    return `<td${looks}${sort === null ? "" : ` data-sort="${escapeHtml(sort)}"`}>${html}</td>`;
  });
  return `<tr>${parts.join("")}</tr>\n`;
}

/** A column of a table: its name, and whether its cells are numbers. */
export type Column = string | { number: string };

/** What stands around the rows of a table that a reader can sort by its columns. */
export const tableHtml = {
  start: (id: string, columns: readonly Column[]): string =>
    `<div class="scroll" tabindex="0"><table id="${id}" class="sortable"><thead><tr>${columns
      .map(headHtml)
      .join("")}</tr></thead><tbody>\n`,
  end: "</tbody></table></div>",
};

function headHtml(column: Column): string {
  const [name, look] = typeof column === "string" ? [column, ""] : [column.number, ' class="number"'];
  return `<th scope="col"${look}>${escapeHtml(name)}</th>`;
}
