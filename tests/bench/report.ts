import { formatSize } from "../../src/base/sizes.ts";
import type { Tool } from "./tools.ts";

export interface Row {
  corpus: string;
  tool: string;
  wallSeconds: number;
  cpuSeconds: number;
  peakBytes: number;
  /** Of the repository, or what a run added to it. */
  bytes?: number;
}

/** Markdown; the ratio says how many times as long, or as large, as AXIOM's the fastest or smallest peer's is. */
export function table(rows: readonly Row[], tools: readonly Tool[]): string {
  const lines = [
    `${navigator.hardwareConcurrency} cores. ${tools.map(({ name, version }) => `${name}: ${version}`).join("; ")}.`,
    "",
    "| input | program | wall s | CPU s | peak memory | size | fastest peer / it | smallest peer / it |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
  ];
  for (const row of rows) {
    const peers = rows.filter((other) => other.corpus === row.corpus && isPeer(other));
    const fastest = Math.min(...peers.map(({ wallSeconds }) => wallSeconds));
    const smallest = Math.min(...peers.flatMap(({ bytes }) => bytes ?? []));
    const ratio = (value: number, own: number | undefined) =>
      isPeer(row) || !Number.isFinite(value) || own === undefined ? "" : `${(value / own).toFixed(2)} ×`;
    const cells = [
      row.corpus,
      row.tool,
      row.wallSeconds.toFixed(2),
      row.cpuSeconds.toFixed(2),
      formatSize(row.peakBytes),
      row.bytes === undefined ? "" : formatSize(row.bytes),
      ratio(fastest, row.wallSeconds),
      ratio(smallest, row.bytes),
    ];
    lines.push(`| ${cells.join(" | ")} |`);
  }
  return lines.join("\n");
}

/** tar is no backup program: it neither encrypts nor deduplicates. */
function isPeer({ tool }: Row): boolean {
  return !tool.startsWith("axiom") && !tool.startsWith("tar");
}
