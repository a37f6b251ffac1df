/** Manifests for the modules of {@linkcode pluginModule}. */
import { utf8 } from "../base/bytes.ts";
import { MANIFEST_SECTION } from "./manifest.ts";

export const MANIFEST = {
  manifest: 1,
  plugin_id: "compression_test",
  version: "1.2.3",
  category: "compression",
  description: "A codec for tests",
  engines: { axiom: "*", abi: 1 },
  format_id: "test-1",
  limits: { memory_pages: 16, call_ms: 5000 },
  config_schema: {
    type: "object",
    additionalProperties: false,
    properties: { level: { type: "integer", minimum: 1, maximum: 3, default: 2 } },
  },
};

/** What is different for the toy cipher. */
export const CIPHER = {
  plugin_id: "encryption_toy",
  category: "encryption",
  nonce_bytes: 8,
  overhead_bytes: 4,
  limits: { memory_pages: 300 },
  config_schema: undefined,
};

export function manifestSection(more: Record<string, unknown> = {}): { name: string; content: Uint8Array } {
  return { name: MANIFEST_SECTION, content: utf8(JSON.stringify({ ...MANIFEST, ...more })) };
}
