import { canonicalJson, type Json } from "../base/canonical_json.ts";
import type { ContentElement, Entry } from "./entry.ts";

/**
 * `canonicalJson` of an entry, written out member by member: a backup makes one for each file, and this is several times
 * as fast. Entries with members of later versions, or of uncommon kinds, take the general way.
 */
export function entryText(entry: Entry): string {
  for (const key in entry) if (!COMMON.has(key)) return canonicalJson(entry as unknown as Json);
  let text = "{";
  if (entry.content !== undefined) {
    for (const key in entry.content) {
      if (key !== "elements" && key !== "kind") return canonicalJson(entry as unknown as Json);
    }
    const elements = entry.content.elements!;
    const kind = entry.content.kind === undefined ? "" : `,"kind":"${entry.content.kind}"`;
    text += `"content":{"elements":[${elements.map(elementText).join(",")}]${kind}},`;
  }
  text += `"ctime":"${entry.ctime}",`;
  if (entry.device !== undefined) text += `"device":"${entry.device}",`;
  text += `"gid":${entry.gid},`;
  if (entry.group !== undefined) text += `"group":${JSON.stringify(entry.group)},`;
  text += `"inode":"${entry.inode}",`;
  if (entry.links !== undefined) text += `"links":${entry.links},`;
  text += `"mode":${entry.mode},"mtime":"${entry.mtime}","name":${JSON.stringify(entry.name)},`;
  if (entry.size !== undefined) text += `"size":"${entry.size}",`;
  if (entry.subtree !== undefined) text += `"subtree":"${entry.subtree}",`;
  if (entry.target !== undefined) text += `"target":${JSON.stringify(entry.target)},`;
  text += `"type":"${entry.type}","uid":${entry.uid}`;
  if (entry.user !== undefined) text += `,"user":${JSON.stringify(entry.user)}`;
  return `${text}}`;
}

const COMMON = new Set([
  "name",
  "type",
  "mode",
  "uid",
  "gid",
  "user",
  "group",
  "size",
  "mtime",
  "ctime",
  "inode",
  "device",
  "links",
  "target",
  "content",
  "subtree",
]);

function elementText(element: ContentElement): string {
  return typeof element === "string" ? `"${element}"` : canonicalJson(element);
}
