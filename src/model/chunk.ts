/**
 * What a chunk holds. Each kind has id, frame and chunker keys of its own, so that file content can never pass for a tree.
 * Trees are also the lists and nodes below them; `plain` is file content that is stored unencrypted.
 */
export const ChunkKind = { data: 0, tree: 1, plain: 2 } as const;
export type ChunkKind = (typeof ChunkKind)[keyof typeof ChunkKind];

/** By number, as the format's document names them. */
export const CHUNK_KIND_NAMES = ["data", "tree", "plain"] as const;

/** An HMAC-SHA-256; in JSON 64 lower-case hexadecimal digits. */
export const CHUNK_ID_BYTES = 32;

/** What the index and the tables in memory keep of an id: 2^-128 n² is no risk, and readers compare the whole id. */
export const CHUNK_PREFIX_BYTES = 16;

export function isChunkKind(value: number): value is ChunkKind {
  return value === ChunkKind.data || value === ChunkKind.tree || value === ChunkKind.plain;
}
