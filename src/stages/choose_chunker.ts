import { LIMITS } from "../base/limits.ts";
import type { ChunkerRecord } from "../model/entry.ts";
import type { SourceFile } from "../platform/file_system.ts";
import { isChunker } from "./chunk.ts";
import { fileKind } from "./file_kind.ts";
import { fixedBlockBytes } from "./fixed_blocks.ts";

/** What a rule may ask for: how to cut, with a block length or without. */
export type ChunkerRule = { algorithm: "fastcdc-1" } | { algorithm: "fixed-1"; block_bytes?: number };

/**
 * How to cut a file: by rule, else as the last run did, else in blocks if its name or first bytes say that it is rewritten
 * in place.
 */
export function chooseChunker(
  source: SourceFile,
  path: string,
  sizeBytes: number,
  rule: ChunkerRule | undefined,
  last: ChunkerRecord | undefined,
): ChunkerRecord {
  const wanted = rule ?? (isChunker(last) ? last : undefined);
  if (wanted?.algorithm === "fastcdc-1") return { algorithm: "fastcdc-1" };
  if (rule?.algorithm === "fixed-1" && rule.block_bytes !== undefined) {
    return { ...rule, block_bytes: rule.block_bytes };
  }
  if (wanted === undefined && !isRewrittenInPlace(source, path, sizeBytes)) return { algorithm: "fastcdc-1" };
  return { algorithm: "fixed-1", block_bytes: fixedBlockBytes(sizeBytes, last?.block_bytes) };
}

function isRewrittenInPlace(source: SourceFile, path: string, sizeBytes: number): boolean {
  const head = new Uint8Array(LIMITS.fileHeadBytes);
  const length = source.read(head, 0);
  return fileKind(path, head.subarray(0, length), sizeBytes) === "rewritten_in_place";
}
