import { displayName } from "../base/names.ts";
import { displayWidth, padded, shortened } from "./width.ts";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** Gives way when the table is wider than the terminal. */
  readonly shrinks?: true;
}

/** One line, or several one below the other. */
export type Cell = string | readonly string[];

const GAP = "  ";
const SHRUNK_COLUMNS_MIN = 12;

/**
 * A table with aligned columns, for people: control characters and bytes that are not UTF-8 come escaped.
 *
 * @param columnsMax Width of the terminal; undefined for as wide as it gets
 * @returns Lines without spaces at their end; only the titles if there are no rows
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  columnsMax?: number,
): string {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === "string" ? [cell] : cell).map(displayName)));
  const widths = columns.map((column, at) => {
    let width = displayWidth(column.title);
    for (const row of cells) for (const line of row[at] ?? []) width = Math.max(width, displayWidth(line));
    return width;
  });
  if (columnsMax !== undefined) shrink(columns, widths, columnsMax);
  const lines = [columns.map((column, at) => padded(column.title, widths[at], column.align))];
  for (const row of cells) {
    const height = Math.max(1, ...row.map((cell) => cell.length));
    for (let line = 0; line < height; line++) {
      lines.push(columns.map((column, at) => {
        return padded(shortened(row[at]?.[line] ?? "", widths[at]), widths[at], column.align);
      }));
    }
  }
  return lines.map((line) => line.join(GAP).trimEnd()).join("\n");
}

function shrink(columns: readonly Column[], widths: number[], columnsMax: number): void {
  let excess = widths.reduce((sum, width) => sum + width, GAP.length * (columns.length - 1)) - columnsMax;
  for (let at = 0; at < columns.length && excess > 0; at++) {
    if (!columns[at].shrinks) continue;
    const less = Math.min(
      excess,
      Math.max(0, widths[at] - Math.max(SHRUNK_COLUMNS_MIN, displayWidth(columns[at].title))),
    );
    widths[at] -= less;
    excess -= less;
  }
}
