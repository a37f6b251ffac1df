import { isNode, LineCounter, parseDocument } from "yaml";
import { fromUtf8 } from "../base/bytes.ts";
import type { Json } from "../base/canonical_json.ts";
import { messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { ManifestFault } from "./manifest.ts";

const ALIASES_MAX = 20;

export interface YamlManifest {
  readonly value: Json;
  /** `fault` with the line of each key in front. */
  located(fault: ManifestFault): ManifestFault;
}

/** Reads `plugin.yaml`; what it means, `readManifest` judges. Throws {@linkcode ManifestFault}. */
export function readManifestYaml(data: Uint8Array): YamlManifest {
  const fail = (message: string): never => {
    throw new ManifestFault([{ path: "", message }]);
  };
  const bytesMax = LIMITS.pluginManifestBytesMax;
  if (data.length > bytesMax) return fail(`expected at most ${bytesMax} bytes, found more`);
  const lineCounter = new LineCounter();
  try {
    const document = parseDocument(fromUtf8(data), {
      lineCounter,
      prettyErrors: false,
      logLevel: "error",
      stringKeys: true,
    });
    const [error] = [...document.errors, ...document.warnings];
    if (error !== undefined) {
      return fail(`line ${lineCounter.linePos(error.pos[0]).line}: not YAML: ${error.message.split("\n")[0]}`);
    }
    const value = document.toJS({ maxAliasCount: ALIASES_MAX }) as Json;
    const lineOf = (path: string) => {
      const parts = path.replace(/\[(\d+)\]/g, ".$1").split(".").filter((part) => part !== "");
      const keys = parts.map((part) => /^\d+$/.test(part) ? Number(part) : part);
      for (; keys.length > 0; keys.pop()) {
        const node = document.getIn(keys, true);
        if (isNode(node) && node.range) return `line ${lineCounter.linePos(node.range[0]).line}: `;
      }
      return "";
    };
    return {
      value,
      located: ({ faults }) =>
        new ManifestFault(faults.map(({ path, message }) => ({
          path: "",
          message: `${lineOf(path)}${path === "" ? "" : `${path}: `}${message}`,
        }))),
    };
  } catch (error) {
    if (error instanceof ManifestFault) throw error;
    return fail(`expected YAML, found ${messageOf(error)}`);
  }
}
