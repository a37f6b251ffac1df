import type { AnyCommand, Argument, Flag } from "./command.ts";
import { takesValue } from "./tokens.ts";

/** What a shell offers for a value: names of files or folders, these words, or nothing that it could know. */
export type Offer = { kind: "file" | "folder" | "nothing" } | { kind: "words"; words: readonly string[] };

/** Undefined for a flag without a value. */
export function offerOfFlag(flag: Flag): Offer | undefined {
  if (!takesValue(flag)) return undefined;
  if (flag.type === "file" || flag.type === "folder") return { kind: flag.type };
  return flag.type === "choice" ? { kind: "words", words: flag.choices ?? [] } : { kind: "nothing" };
}

export function offerOfArgument(argument: Argument, commands: readonly AnyCommand[]): Offer {
  if (argument.choices !== undefined) return { kind: "words", words: argument.choices };
  if (argument.completes === "command") {
    return {
      kind: "words",
      words: nextWords("", commands).map(({ word }) => word),
    };
  }
  return { kind: argument.completes ?? "nothing" };
}

/** The words that may follow `prefix` in the name of a command, with a description. */
export function nextWords(prefix: string, commands: readonly AnyCommand[]): { word: string; summary: string }[] {
  const words = new Map<string, string>();
  for (const { name, summary } of commands) {
    if (prefix !== "" && !name.startsWith(`${prefix} `)) continue;
    const [word, ...more] = name.slice(prefix === "" ? 0 : prefix.length + 1).split(" ");
    if (more.length === 0) words.set(word, summary);
    else words.set(word, `Commands: ${siblings(prefix === "" ? word : `${prefix} ${word}`, commands)}`);
  }
  return [...words].map(([word, summary]) => ({ word, summary }));
}

function siblings(prefix: string, commands: readonly AnyCommand[]): string {
  return nextWords(prefix, commands).map(({ word }) => word).join(", ");
}

/** First words of names that have several: `key` of `key add`. */
export function families(commands: readonly AnyCommand[]): string[] {
  const names = commands.flatMap(({ name }) => {
    const words = name.split(" ");
    return words.slice(1).map((_, at) => words.slice(0, at + 1).join(" "));
  });
  return [...new Set(names)];
}

/** As written on a command line: `-r`, `--repo`. */
export function spellings(flag: Flag): string[] {
  return flag.short === undefined ? [`--${flag.long}`] : [`-${flag.short}`, `--${flag.long}`];
}

/** In single quotes of a POSIX shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
