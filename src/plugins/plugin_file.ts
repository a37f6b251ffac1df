import { dirname, join } from "node:path";
import { AxiomError, messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { displayName } from "../base/names.ts";
import { readBounded } from "../platform/read_bounded.ts";
import type { NamedBytes } from "./pack.ts";
import { MANIFEST_SECTION } from "./manifest.ts";
import { readWasm } from "./wasm_module.ts";
import { WasmFault } from "./wasm_reader.ts";

/** Manifest beside a module, for `axiom plugin pack` and for stock modules that carry none. */
export const SIDE_CAR = "plugin.yaml";

/** The module at `path`, read once, as it will be installed. A stock one that carries no manifest gets that of the side-car. */
export async function readPluginFile(path: string): Promise<NamedBytes> {
  const module = await readModuleFile(path);
  if (hasManifest(module)) return module;
  const beside = join(dirname(path), SIDE_CAR);
  const data = await readFile(beside, LIMITS.pluginManifestBytesMax + 1);
  if (data === undefined) return module; // admission says what is missing
  const { packPlugin } = await import("./pack.ts"); // what reads YAML would double the time of every start
  return { name: module.name, data: packPlugin(module, { name: displayName(beside), data }).bytes };
}

/** As the compiler or `axiom plugin pack` made it. */
export async function readModuleFile(path: string): Promise<NamedBytes> {
  const data = await readFile(path, LIMITS.pluginModuleBytesMax + 1);
  if (data !== undefined) return { name: displayName(path), data };
  throw new AxiomError("path_missing", `Cannot read ${displayName(path)}: there is no such file`, {
    hint: "Name the .wasm file of a plugin",
  });
}

export async function readManifestFile(path: string): Promise<NamedBytes> {
  const data = await readFile(path, LIMITS.pluginManifestBytesMax + 1);
  if (data !== undefined) return { name: displayName(path), data };
  throw new AxiomError("path_missing", `Cannot read ${displayName(path)}: there is no such file`, {
    hint: "Name the manifest with --manifest <file>; `axiom config schema plugin` says what it holds",
  });
}

async function readFile(path: string, bytesMax: number) {
  try {
    return await readBounded(path, bytesMax);
  } catch (error) {
    throw new AxiomError("source_failed", `Cannot read ${displayName(path)}: ${messageOf(error)}`, { cause: error });
  }
}

function hasManifest({ data }: NamedBytes): boolean {
  try {
    return readWasm(data).sections.some(({ name }) => name === MANIFEST_SECTION);
  } catch (error) {
    if (error instanceof WasmFault) return true; // admission says what is wrong
    throw error;
  }
}
