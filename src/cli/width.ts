import { eastAsianWidth } from "get-east-asian-width";

/** Made on first use: it loads tables, and most runs never need it. */
let segmenter: Intl.Segmenter | undefined;
const ZERO_WIDTH = /^[\p{Default_Ignorable_Code_Point}\p{Mn}\p{Me}]+$/u;
const ELLIPSIS = "…";

/**
 * Columns that `text` takes on a terminal, for text without control characters. East Asian wide characters and emoji are
 * two, combining marks none (Unicode Standard Annex 11; sequences of emoji as one, as most terminals draw them).
 */
export function displayWidth(text: string): number {
  // deno-lint-ignore no-control-regex
  if (/^[\u0000-\u02ff]*$/.test(text)) return text.length;
  let width = 0;
  for (const grapheme of graphemesOf(text)) width += graphemeWidth(grapheme);
  return width;
}

function graphemesOf(text: string): string[] {
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

function graphemeWidth(grapheme: string): number {
  const code = grapheme.codePointAt(0)!;
  if (code < 0x300 && grapheme.length === 1) return 1;
  if (ZERO_WIDTH.test(grapheme)) return 0;
  if (grapheme.includes("\ufe0f") || /^\p{Emoji_Presentation}/u.test(grapheme)) return 2;
  return eastAsianWidth(code);
}

/** `text` if it fits, else its beginning and its longer end with an ellipsis between; never wider than `columns`. */
export function shortened(text: string, columns: number): string {
  if (text.length * 2 <= columns || displayWidth(text) <= columns) return text;
  if (columns < 1) return "";
  const graphemes = graphemesOf(text);
  const startColumns = Math.floor((columns - 1) / 3);
  const start = taken(graphemes, startColumns);
  const end = taken(graphemes.toReversed(), columns - 1 - displayWidth(start.join("")));
  return start.join("") + ELLIPSIS + end.reverse().join("");
}

function taken(graphemes: readonly string[], columns: number): string[] {
  const some: string[] = [];
  let width = 0;
  for (const grapheme of graphemes) {
    width += graphemeWidth(grapheme);
    if (width > columns) break;
    some.push(grapheme);
  }
  return some;
}

export function padded(text: string, columns: number, align: "left" | "right" = "left"): string {
  const space = " ".repeat(Math.max(0, columns - displayWidth(text)));
  return align === "left" ? text + space : space + text;
}
