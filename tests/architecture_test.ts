/** The shape of the code, held by tests: `docs/architecture.md` explains it. */
import { deepStrictEqual } from "node:assert/strict";
import { dirname, join, relative } from "node:path";

const ROOT = new URL("../", import.meta.url).pathname;

/** A file may import from its own folder and from folders of a lower rank. This is the only place where ranks are written. */
const RANKS: Readonly<Record<string, number>> = {
  base: 0,
  model: 1,
  resilience: 1,
  config: 1,
  platform: 1,
  stages: 2,
  storage: 2,
  monitoring: 2,
  repository: 3,
  plugins: 3,
  audit: 3,
  operations: 4,
  orchestrator: 5,
  cli: 6,
  library: 6,
  web: 6,
};
const TOP_RANK = 7;

/** What nothing of the program imports, with the reason why it is there. */
const NOT_REACHED: Readonly<Record<string, string>> = {
  "src/config/example.ts": "makes config/axiom.example.yaml, which a test compares with it",
  "src/storage/memory.ts": "the store that tests of everything above it use",
  "src/storage/metered.ts": "a wrapper for monitoring, held by the contract of stores",
  "src/storage/read_only.ts": "a wrapper for stores that must not change, held by the contract of stores",
};

const IMPORT = /(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+)"|new URL\(\s*"(\.{1,2}\/[^"]+\.ts)"/g;

function sources(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory) return sources(path);
    return entry.name.endsWith(".ts") ? [path] : [];
  });
}

function importsOf(file: string): string[] {
  return [...Deno.readTextFileSync(file).matchAll(IMPORT)].map(([, name, url]) => join(dirname(file), name ?? url));
}

function folderOf(file: string): string {
  const path = relative(join(ROOT, "src"), file);
  return path.includes("/") ? path.split("/")[0] : "";
}

function rankOf(folder: string): number {
  return folder === "" ? TOP_RANK : RANKS[folder];
}

const isTest = (file: string) => /_test\.ts$|_fixture\.ts$|_stress_worker\.ts$|\/testing\.ts$/.test(file);

Deno.test("every folder of src has a rank", () => {
  const folders = [...Deno.readDirSync(join(ROOT, "src"))].filter((entry) => entry.isDirectory).map(({ name }) => name);
  deepStrictEqual(folders.filter((name) => !(name in RANKS)), []);
});

Deno.test("imports go to the own folder or to a lower rank", () => {
  const wrong = sources(join(ROOT, "src")).filter((file) => !isTest(file)).flatMap((file) => {
    const own = folderOf(file);
    return importsOf(file).filter((target) => {
      const other = folderOf(target);
      return other !== own && rankOf(other) >= rankOf(own);
    }).map((target) => `${relative(ROOT, file)} imports ${relative(ROOT, target)}`);
  });
  deepStrictEqual(wrong, []);
});

Deno.test("every source file is reached from the program, the library or a worker", () => {
  const reached = new Set<string>();
  const visit = (file: string) => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const target of importsOf(file)) visit(target);
  };
  for (const entry of ["main.ts", "src/mod.ts"]) visit(join(ROOT, entry));
  const dead = sources(join(ROOT, "src")).filter((file) => !isTest(file) && !reached.has(file));
  deepStrictEqual(dead.map((file) => relative(ROOT, file)).sort(), Object.keys(NOT_REACHED).sort());
});

Deno.test("only the command line prints and only main.ts ends the process", () => {
  const wrong = sources(join(ROOT, "src")).filter((file) => !isTest(file)).flatMap((file) => {
    const text = Deno.readTextFileSync(file);
    const prints = /\bconsole\.(log|error|warn|info)\(/.test(text) && folderOf(file) !== "cli";
    return prints || /\bDeno\.exit\(/.test(text) ? [relative(ROOT, file)] : [];
  });
  deepStrictEqual(wrong, []);
});
