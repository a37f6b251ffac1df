import { createHash } from "node:crypto";

/** Which packs are read in full. A sample is drawn by a seed, so that the same one can be drawn again. */
export type DataSelection =
  | { kind: "all" }
  /** One of `of` parts that every pack belongs to for ever, by its name. */
  | { kind: "part"; part: number; of: number }
  | { kind: "percent"; percent: number; seed: string }
  | { kind: "bytes"; bytes: number; seed: string };

export interface SelectablePack {
  name: string;
  storedBytes: number;
}

/** Those of `packs` that are read, in the order of their names. A sample of packs is at least one. */
export function selectPacks<Pack extends SelectablePack>(packs: readonly Pack[], selection: DataSelection): Pack[] {
  const sorted = packs.toSorted((a, b) => a.name < b.name ? -1 : 1);
  switch (selection.kind) {
    case "all":
      return sorted;
    case "part":
      return sorted.filter(({ name }) => parseInt(name.slice(0, 8), 16) % selection.of === selection.part - 1);
    case "percent": {
      const all = packs.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
      return sample(sorted, all * selection.percent / 100, selection.seed);
    }
    case "bytes":
      return sample(sorted, selection.bytes, selection.seed);
  }
}

/** Packs in an order that the seed decides, until they have `bytes` bytes. */
function sample<Pack extends SelectablePack>(sorted: readonly Pack[], bytes: number, seed: string): Pack[] {
  const rank = (name: string) => createHash("sha256").update(`${seed}/${name}`).digest("hex");
  const ranked = sorted.map((pack) => ({ pack, rank: rank(pack.name) })).sort((a, b) => a.rank < b.rank ? -1 : 1);
  const chosen = new Set<Pack>();
  let sum = 0;
  for (const { pack } of ranked) {
    if (sum >= bytes) break;
    chosen.add(pack);
    sum += pack.storedBytes;
  }
  return sorted.filter((pack) => chosen.has(pack));
}
