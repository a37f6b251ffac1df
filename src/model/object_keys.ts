/** Names of objects in a repository. What a key says is bound into the seal of the object. */

export const PREFIX = {
  config: "config/",
  keys: "keys/",
  keyring: "keyring/",
  packs: "packs/",
  index: "index/",
  snapshots: "snapshots/",
  sessions: "sessions/",
  condemned: "condemned/",
  ledger: "ledger/",
  codecs: "codecs/",
  damaged: "damaged/",
} as const;

/** @param name SHA-256 of the stored bytes, hexadecimal */
export function packKey(name: string): string {
  return `${PREFIX.packs}${name.slice(0, 2)}/${name}`;
}

/** The name in a pack's key, or undefined for a key of another form. */
export function packName(key: string): string | undefined {
  return /^packs\/([0-9a-f]{2})\/(\1[0-9a-f]{62})$/.exec(key)?.[2];
}

export function indexKey(name: string): string {
  return PREFIX.index + name;
}

export function snapshotKey(id: string): string {
  return PREFIX.snapshots + id;
}

/** Key of the commit marker that makes a manifest count. */
export function markerKey(id: string): string {
  return `${PREFIX.snapshots}${id}.ok`;
}

export function sessionKey(id: string, heartbeat?: number): string {
  return `${PREFIX.sessions}${id}${heartbeat === undefined ? "" : `.${heartbeat}`}`;
}

/** Zero-padded to ten digits, so that names sort as numbers do. */
export function generationName(generation: number): string {
  return String(generation).padStart(10, "0");
}

/** @param sha256 Of the stored bytes, hexadecimal */
export function decoderKey(sha256: string): string {
  return `${PREFIX.codecs}${sha256}.wasm`;
}

export function decoderSignatureKey(sha256: string): string {
  return `${decoderKey(sha256)}.minisig`;
}

export function ledgerKey(sequence: number): string {
  return PREFIX.ledger + generationName(sequence);
}
