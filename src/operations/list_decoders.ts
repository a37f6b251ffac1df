import { isKind } from "../base/errors.ts";
import { objectForm } from "../model/object_forms.ts";
import { PREFIX } from "../model/object_keys.ts";
import { admit } from "../plugins/admission.ts";
import type { Repository } from "../repository/repository.ts";
import { readDecoder } from "../repository/stored_decoders.ts";
import type { ObjectStore } from "../storage/object_store.ts";

/** The module of a codec or cipher plugin that wrote here. */
export interface ListedDecoder {
  sha256: string;
  bytes: number;
  isSigned: boolean;
  /** Undefined where {@linkcode problem} says what is wrong with it. */
  pluginId?: string;
  version?: string;
  formats?: readonly string[];
  problem?: string;
}

/** What `codecs/` holds, by hash. Nothing of it is run. */
export async function listDecoders({ store }: Repository, signal?: AbortSignal): Promise<ListedDecoder[]> {
  const found: { name: string; sizeBytes: number }[] = [];
  const signed = new Set<string>();
  for await (const { key, sizeBytes } of store.list(PREFIX.codecs, signal)) {
    const form = objectForm(key);
    if (form?.type === "codec") found.push({ name: form.name, sizeBytes });
    if (form?.type === "codec_signature") signed.add(form.name);
  }
  const listed: ListedDecoder[] = [];
  for (const { name: sha256, sizeBytes: bytes } of found.sort((a, b) => a.name < b.name ? -1 : 1)) {
    listed.push({ sha256, bytes, isSigned: signed.has(sha256), ...await identityOf(store, sha256, signal) });
  }
  return listed;
}

/** One after another: each has up to `LIMITS.pluginModuleBytesMax`, and they gather over the years. */
async function identityOf(store: ObjectStore, sha256: string, signal?: AbortSignal): Promise<Partial<ListedDecoder>> {
  try {
    const module = await readDecoder(store, sha256, signal);
    if (module === undefined) return { problem: "it is gone" };
    const { pluginId, version, formatId, readsFormats } = admit(module.bytes).manifest;
    return { pluginId, version, formats: formatId === undefined ? [] : [formatId, ...readsFormats] };
  } catch (error) {
    if (!isKind(error, "plugin_refused", "data_damaged", "object_missing")) throw error;
    return { problem: error.message };
  }
}
