/**
 * The candidate that `word` was probably meant to be, or undefined where none is near: at most one third of its letters
 * differ, or `word` (three letters or more) begins exactly one candidate, or one (of four or more) begins it. Case and `-` against `_` do not count.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = folded(word);
  let best: string | undefined, bestDistance = Infinity;
  const begun: string[] = [];
  for (const candidate of candidates) {
    const other = folded(candidate);
    const far = Math.max(1, Math.floor(Math.max(wanted.length, other.length) / 3));
    if (Math.abs(wanted.length - other.length) <= far) {
      const distance = editDistance(wanted, other);
      if (distance <= far && distance < bestDistance && distance < Math.max(wanted.length, other.length)) {
        best = candidate;
        bestDistance = distance;
      }
    }
    if (wanted.length >= 3 && other.startsWith(wanted)) begun.push(candidate);
    if (other.length >= 4 && wanted.startsWith(other)) begun.push(candidate);
  }
  return best ?? (begun.length === 1 ? begun[0] : undefined);
}

function folded(word: string): string {
  return word.slice(0, 100).toLowerCase().replaceAll("-", "_");
}

/** Insertions, deletions, replacements and swaps of neighbours that make `a` into `b` (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
      }
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length];
}
