import { canonicalJson, type Json } from "../base/canonical_json.ts";
import type { Entry } from "../model/entry.ts";

/** Fields of a {@linkcode ListedEntry} as far as entries differ in them; `other` are those of later versions. */
export type MetadataField =
  | "mode"
  | "uid"
  | "gid"
  | "user"
  | "group"
  | "mtime"
  | "ctime"
  | "inode"
  | "links"
  | "xattrs"
  | "other";

const METADATA: readonly Exclude<MetadataField, "other">[] = [
  "mode",
  "uid",
  "gid",
  "user",
  "group",
  "mtime",
  "ctime",
  "inode",
  "links",
  "xattrs",
];
const CONTENT = ["size", "content", "target", "rdev"] as const;
/** Says nothing about the file itself: how it was cut, and where its folder's document is. */
const IGNORED = ["name", "type", "chunker", "subtree", "device"] as const;
const KNOWN = new Set<string>([...METADATA, ...CONTENT, ...IGNORED]);

/** Whether two entries of one type hold different bytes, name another target or are another device. */
export function contentDiffers(before: Entry, after: Entry): boolean {
  return CONTENT.some((field) => differs(before[field], after[field]));
}

export function metadataDifferences(before: Entry, after: Entry): MetadataField[] {
  const fields: MetadataField[] = METADATA.filter((field) => differs(before[field], after[field]));
  const others = new Set([...Object.keys(before), ...Object.keys(after)].filter((field) => !KNOWN.has(field)));
  if ([...others].some((field) => differs(before[field], after[field]))) fields.push("other");
  return fields;
}

function differs(before: unknown, after: unknown): boolean {
  if (before === after) return false;
  if (typeof before !== "object" || typeof after !== "object") return true;
  return canonicalJson((before ?? null) as Json) !== canonicalJson((after ?? null) as Json);
}
