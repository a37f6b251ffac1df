/**
 * Words of a command as a POSIX shell cuts them: by blanks, with '…', "…" and backslashes; nothing is expanded. Undefined
 * where a quote is never closed or a backslash ends the text.
 */
export function splitWords(text: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === "'") {
      const end = text.indexOf("'", at + 1);
      if (end < 0) return undefined;
      word = (word ?? "") + text.slice(at + 1, end);
      at = end;
    } else if (character === '"') {
      word ??= "";
      for (at++; text[at] !== '"'; at++) {
        if (text[at] === "\\" && /["\\$`]/.test(text[at + 1] ?? "")) at++;
        if (at >= text.length) return undefined;
        word += text[at];
      }
    } else if (character === "\\") {
      if (++at >= text.length) return undefined;
      word = (word ?? "") + text[at];
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + character;
  }
  if (word !== undefined) words.push(word);
  return words;
}
