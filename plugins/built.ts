/**
 * What was built of what: `built.json` names for each plugin the hash of its sources, of the module that stands beside them
 * and the compiler, so that whoever has no compiler can see that the module is of these sources.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type Compiler, COMPILERS } from "./compilers.ts";

export const PLUGINS = fileURLToPath(new URL(".", import.meta.url));
/** What compilers keep from build to build. */
export const WORK = join(PLUGINS, "..", ".work", "plugins");
const RECORD = join(PLUGINS, "built.json");

export interface Built {
  readonly sources: string;
  readonly wasm: string;
  readonly compiler: string;
}

export interface Plugin {
  readonly id: string;
  readonly folder: string;
  /** The packed module. */
  readonly file: string;
  readonly compiler: Compiler;
}

/** Every folder with a manifest; throws where none of the compilers builds it. */
export function plugins(): Plugin[] {
  return [...Deno.readDirSync(PLUGINS)].filter(({ name }) => existsSync(join(PLUGINS, name, "plugin.yaml")))
    .map(({ name: id }) => {
      const folder = join(PLUGINS, id);
      const compiler = Object.values(COMPILERS).find(({ marker }) => existsSync(join(folder, marker)));
      if (compiler === undefined) throw new Error(`No compiler builds ${folder}`);
      return { id, folder, file: join(folder, `${id}.wasm`), compiler };
    }).sort((a, b) => a.id < b.id ? -1 : 1);
}

/** SHA-256 of the paths and contents of all that goes into a module: not of texts for people, nor of what a build leaves. */
export function sourcesHash({ folder, compiler }: Plugin): string {
  const library = join(dirname(dirname(folder)), "plugin-pdk", compiler.library);
  const files = [...filesIn(folder), library].filter((file) => !/\.(wasm|md|txt)$/.test(file));
  const hash = createHash("sha256");
  for (const file of files.map((file) => relative(folder, file)).sort()) {
    hash.update(`${file}\0${sha256(Deno.readFileSync(join(folder, file)))}\n`);
  }
  return hash.digest("hex");
}

const LEFT_BY_BUILDS = new Set(["target", "node_modules", ".zig-cache", "zig-out"]);

function filesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].filter(({ name }) => !LEFT_BY_BUILDS.has(name)).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory ? filesIn(path) : [path];
  });
}

export function sha256(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

export function readRecord(): Record<string, Built> {
  return existsSync(RECORD) ? JSON.parse(Deno.readTextFileSync(RECORD)) : {};
}

export function writeRecord(record: Record<string, Built>): void {
  const sorted = Object.fromEntries(Object.entries(record).sort(([a], [b]) => a < b ? -1 : 1));
  Deno.writeTextFileSync(RECORD, `${JSON.stringify(sorted, undefined, 2)}\n`);
}
