import type { Language } from "./kit_sources.ts";
import type { Category } from "./manifest.ts";

const DOES: Readonly<Record<Category, string>> = {
  compression: "Compresses nothing yet",
  encryption: "Seals with a key",
  storage: "Keeps a repository on a server",
  strategy: "Makes every seventh backup a full one",
  filter: "Leaves out empty temporary files",
  source: "Offers a text",
  processing: "Looks at what a backup says at its end",
  notification: "Tells a server what happened",
};

/** An address that is nobody's, so that a configuration without one is still one. */
const URL = `config_schema:
  type: object
  additionalProperties: false
  properties: { url: { type: string, default: "https://localhost/" } }
`;

/** `plugin.yaml`, which is right as it is. */
export function templateManifest(language: Language, category: Category, pluginId: string): string {
  const format = pluginId.replaceAll("_", "-");
  const [cipher, nonceBytes] = language === "go" ? ["aes-256-gcm", 12] : ["xchacha20-poly1305", 24];
  const more: Partial<Record<Category, string>> = {
    compression: `format_id: ${format}-1 # of what it writes; another one as soon as that changes\n` +
      "limits: { memory_pages: 1024, call_ms: 10000 } # pages of 64 KiB\n",
    encryption: `format_id: ${cipher}-${format}-1\nnonce_bytes: ${nonceBytes}\noverhead_bytes: 16\n` +
      "limits: { memory_pages: 1024, call_ms: 10000 } # pages of 64 KiB\n",
    storage: http("it keeps objects there", ["GET", "HEAD", "PUT", "DELETE"]) + URL,
    notification: http("it tells what happened", ["POST"]) + URL,
  };
  return `manifest: 1
plugin_id: ${pluginId}
version: 0.1.0
category: ${category}
description: ${DOES[category]}
engines: { axiom: ">=0.1 <2", abi: 1 }
${more[category] ?? ""}`;
}

function http(reason: string, methods: readonly string[]): string {
  return `capabilities: # hosts are those that are named when it is granted
  - { name: net.http, methods: [${methods.join(", ")}], reason: "${reason}" }
`;
}
