/** Makes `vectors.json`, the test vectors of docs/format.md beside those of `keys.json`: `deno run -A tests/golden/make_vectors.ts`. */
import { contentVectors } from "./content_vectors.ts";
import { storedVectors } from "./stored_vectors.ts";
import { treeVectors } from "./tree_vectors.ts";

export async function makeVectors() {
  return { ...await contentVectors(), ...await treeVectors(), ...await storedVectors() };
}

export type Vectors = Awaited<ReturnType<typeof makeVectors>>;

if (import.meta.main) {
  const text = JSON.stringify(await makeVectors(), null, 2);
  await Deno.writeTextFile(new URL("vectors.json", import.meta.url), `${text}\n`);
}
