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

/** What the program itself does not call, with the reason why it is there. */
const NOT_USED: Readonly<Record<string, string>> = {
  "src/stages/chunk.ts cutPoint": "where a chunk ends as the format defines it, without the state of a stream",
};

const FUNCTION_LINES_MAX = 60;

const IMPORT = /(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+)"|new URL\(\s*"(\.{1,2}\/[^"]+\.ts)"/g;

function sources(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory) return sources(path);
    return entry.name.endsWith(".ts") ? [path] : [];
  });
}

function importsOf(file: string): string[] {
  const paths = [...Deno.readTextFileSync(file).matchAll(IMPORT)].map(([, name, url]) =>
    join(dirname(file), name ?? url)
  );
  return paths.filter((path) => path.startsWith(join(ROOT, "src/"))); // what lies elsewhere is a text, such as a template
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

const EXPORT = /^export (?:async |abstract )*(function\*?|class|const|interface|type) (\w+)/gm;

function withoutComments(text: string): string {
  return text.replace(/\/\*[^]*?\*\/|\/\/.*/g, "");
}

Deno.test("what a file exports is used by the program, and by another file", () => {
  const read = (files: string[]) => new Map(files.map((file) => [file, withoutComments(Deno.readTextFileSync(file))]));
  const all = [join(ROOT, "main.ts"), ...sources(join(ROOT, "src"))];
  const program = read(all.filter((file) => !isTest(file)));
  const tests = read([...all.filter(isTest), ...sources(join(ROOT, "tests"))]);
  const words = (text: string) => new Set(text.match(/\w+/g));
  const wordsOf = new Map([...program].map(([file, text]) => [file, words(text)]));
  const wordsOfTests = words([...tests.values()].join("\n"));
  const wrong = [...program].flatMap(([file, text]) => {
    const path = relative(ROOT, file);
    if (path in NOT_REACHED) return [];
    return [...text.matchAll(EXPORT)].flatMap(([, kind, name]) => {
      if ([...wordsOf].some(([other, words]) => other !== file && words.has(name))) return [];
      const isUsedHere = text.match(new RegExp(`\\b${name}\\b`, "g"))!.length > 1;
      const isType = kind === "interface" || kind === "type"; // may be a part of what is exported
      return isUsedHere && (isType || wordsOfTests.has(name)) ? [] : [`${path} ${name}`];
    });
  });
  deepStrictEqual(wrong.sort(), Object.keys(NOT_USED).sort());
});

Deno.test("every limit binds something", () => {
  const program = sources(join(ROOT, "src")).filter((file) => !isTest(file)).map((file) => Deno.readTextFileSync(file));
  const text = program.join("\n");
  const limits = [...Deno.readTextFileSync(join(ROOT, "src/base/limits.ts")).matchAll(/^\s+(\w+):/gm)];
  deepStrictEqual(limits.map(([, name]) => name).filter((name) => !new RegExp(`LIMITS\\.${name}\\b`).test(text)), []);
});

/** Lines of the functions of a formatted file, by the line where their bodies begin. */
function functionLengths(text: string): [line: number, lines: number][] {
  const lines = text.split("\n");
  return lines.flatMap((line, at): [number, number][] => {
    if (!/(?:=>|\)(?:: .+)?) \{$/.test(line) || /^\s*(?:\} )?(?:if|else|for|while|switch|catch)\b/.test(line)) {
      return [];
    }
    const end = `${/^ */.exec(line)![0]}}`;
    const length = lines.slice(at + 1).findIndex((each) => each.startsWith(end));
    return [[at + 1, length + 2]];
  });
}

Deno.test(`functions have at most ${FUNCTION_LINES_MAX} lines`, () => {
  const tooLong = sources(join(ROOT, "src")).filter((file) => !isTest(file)).flatMap((file) =>
    functionLengths(Deno.readTextFileSync(file)).filter(([, lines]) => lines > FUNCTION_LINES_MAX)
      .map(([line, lines]) => `${relative(ROOT, file)}:${line} has ${lines}`)
  );
  deepStrictEqual(tooLong, []);
});

Deno.test("only the command line prints and only main.ts ends the process", () => {
  const wrong = sources(join(ROOT, "src")).filter((file) => !isTest(file)).flatMap((file) => {
    const text = Deno.readTextFileSync(file);
    const prints = /\bconsole\.(log|error|warn|info)\(/.test(text) && folderOf(file) !== "cli";
    return prints || /\bDeno\.exit\(/.test(text) ? [relative(ROOT, file)] : [];
  });
  deepStrictEqual(wrong, []);
});
