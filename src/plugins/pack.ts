import type { Bytes } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { admit, type AdmittedPlugin, manifestError } from "./admission.ts";
import { encodeManifest, MANIFEST_SECTION, ManifestFault, readManifest } from "./manifest.ts";
import { readManifestYaml } from "./manifest_yaml.ts";
import { readWasm } from "./wasm_module.ts";
import { WasmFault } from "./wasm_reader.ts";
import { withCustomSection } from "./wasm_rewrite.ts";

/** Bytes of a file, with its name for messages. */
export interface NamedBytes {
  readonly name: string;
  readonly data: Bytes;
}

export interface PackedPlugin {
  readonly bytes: Bytes;
  readonly plugin: AdmittedPlugin;
}

/** `module` with what `yaml` says as its manifest, in place of any that it had; the result was admitted. Throws `plugin_refused`. */
export function packPlugin(module: NamedBytes, yaml: NamedBytes): PackedPlugin {
  const content = fromYaml(yaml, (value) => {
    readManifest(value);
    return encodeManifest(value);
  });
  try {
    const bytes = withCustomSection(module.data, readWasm(module.data).sections, MANIFEST_SECTION, content);
    return { bytes, plugin: admit(bytes, { name: module.name }) };
  } catch (error) {
    if (!(error instanceof WasmFault)) throw error;
    throw new AxiomError("plugin_refused", `Cannot pack ${module.name}: it ${error.message}`, {
      hint: "Name the .wasm file that the compiler made",
      cause: error,
    });
  }
}

function fromYaml<T>({ name, data }: NamedBytes, read: (value: Parameters<typeof readManifest>[0]) => T): T {
  let located = (fault: ManifestFault) => fault;
  try {
    const yaml = readManifestYaml(data);
    located = yaml.located;
    return read(yaml.value);
  } catch (error) {
    if (error instanceof ManifestFault) throw manifestError(`Cannot use ${name}`, located(error));
    throw error;
  }
}
