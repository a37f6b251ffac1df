import { parseArgs } from "node:util";
import { AxiomError } from "../base/errors.ts";
import { displayName } from "../base/names.ts";
import { nearest } from "../base/nearest.ts";
import type { Flag } from "./command.ts";

/**
 * One flag or argument of a command line, in its order. A flag's `text` is its value, undefined where none stood; `unknown`
 * is a flag that is not declared. `index` counts words, and `-qv` is one word with two flags.
 */
export type Token =
  | { kind: "flag"; flag: Flag; written: string; text: string | undefined; attached: boolean; index: number }
  | { kind: "unknown"; written: string; index: number }
  | { kind: "argument"; text: string; index: number }
  | { kind: "end_of_flags"; index: number };

/** Splits words into tokens and judges none of them, so that `--help` can win over any mistake beside it. */
export function tokenize(words: readonly string[], flags: readonly Flag[]): Token[] {
  const byName = new Map(flags.map((flag) => [flag.long, flag]));
  const options = Object.fromEntries(
    flags.map((flag) => [flag.long, {
      type: takesValue(flag) ? "string" as const : "boolean" as const,
      ...(flag.short === undefined ? {} : { short: flag.short }),
    }]),
  );
  const { tokens } = parseArgs({ args: [...words], options, strict: false, tokens: true, allowPositionals: true });
  return tokens.map((token): Token => {
    if (token.kind === "positional") return { kind: "argument", text: token.value, index: token.index };
    if (token.kind === "option-terminator") return { kind: "end_of_flags", index: token.index };
    const flag = byName.get(token.name);
    if (flag === undefined) return { kind: "unknown", written: token.rawName, index: token.index };
    const attached = token.inlineValue === true;
    // `-r=/srv` is what Go's flag packages accept; a value that begins with "=" can be written as a word of its own.
    const text = attached && !token.rawName.startsWith("--") ? token.value?.replace(/^=/, "") : token.value;
    return { kind: "flag", flag, written: token.rawName, text, attached, index: token.index };
  });
}

export function takesValue(flag: Flag): boolean {
  return flag.type !== "boolean" && flag.type !== "count";
}

/** The text of a flag that must have one; throws `usage` where it is missing, or there though the flag takes none. */
export function textOf(token: Token & { kind: "flag" }): string | undefined {
  const { flag, written, text, attached } = token;
  if (!takesValue(flag)) {
    if (text === undefined) return undefined;
    throw new AxiomError("usage", `Cannot read ${written}=${displayName(text)}: ${written} takes no value`);
  }
  const hint = `Write ${written}${written.startsWith("--") ? "=" : " "}<${placeholderOf(flag)}>`;
  if (text === undefined) throw new AxiomError("usage", `Cannot read ${written}: its value is missing`, { hint });
  if (!attached && text.startsWith("-") && text !== "-") {
    throw new AxiomError("usage", `Cannot read ${written}: its value is missing, ${displayName(text)} follows`, {
      hint: `If that is the value, write ${written}${written.startsWith("--") ? "=" : ""}${displayName(text)}`,
    });
  }
  return text;
}

/** What stands for a flag's value in help and messages. */
export function placeholderOf(flag: Flag): string {
  if (flag.placeholder !== undefined) return flag.placeholder;
  if (flag.type === "choice") return (flag.choices ?? []).join("|");
  const names: Partial<Record<Flag["type"], string>> = { integer: "n", folder: "dir", text: "text" };
  return names[flag.type] ?? flag.type;
}

/** @param what The command, or `axiom` before there is one */
export function unknownFlag(
  token: Token & { kind: "unknown" },
  words: readonly string[],
  flags: readonly Flag[],
  what: string,
): AxiomError {
  const word = words[token.index];
  if (token.written === "-=") {
    const before = word.slice(0, word.indexOf("="));
    return new AxiomError("usage", `Cannot read ${displayName(word)}: ${before} takes no value`);
  }
  // `-dry-run` arrives as `-d` and more: what was meant is the whole word.
  const whole = /^-[^-]{2}/.test(word) ? word.slice(1) : token.written.replace(/^-+/, "");
  const meant = whole.length < 2 ? undefined : nearest(whole.split("=")[0], flags.map((flag) => flag.long));
  const written = meant !== undefined && whole.length > 1 && !word.startsWith("--") ? word : token.written;
  return new AxiomError("usage", `Cannot run ${what}: unknown flag ${displayName(written)}`, {
    hint: meant === undefined ? `Run \`${helpFor(what)}\` for its flags` : `Did you mean --${meant}?`,
  });
}

export function helpFor(what: string): string {
  return what === "axiom" ? "axiom help" : `axiom help ${what}`;
}
