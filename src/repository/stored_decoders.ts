import { createHash } from "node:crypto";
import { type Bytes, fromUtf8, utf8 } from "../base/bytes.ts";
import { AxiomError, isKind } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { decoderKey, decoderSignatureKey } from "../model/object_keys.ts";
import type { DecoderModule } from "../stages/decoder_host.ts";
import type { ObjectStore } from "../storage/object_store.ts";
import { setAside } from "./set_aside.ts";

/**
 * A decoder with the bytes that its name says, and its signature as it stands there; undefined where it is not stored.
 * Throws `plugin_refused` for other bytes, and for more than a module may have, before they are read. That is no
 * `data_damaged`: nothing is wrong with the frames.
 */
export async function readDecoder(
  store: ObjectStore,
  sha256: string,
  signal?: AbortSignal,
): Promise<DecoderModule | undefined> {
  const key = decoderKey(sha256);
  const bytes = await bounded(store, key, LIMITS.pluginModuleBytesMax, signal);
  if (bytes === undefined) return undefined;
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== sha256) {
    throw refused(key, `its bytes have the SHA-256 ${found}`);
  }
  const signature = await bounded(store, decoderSignatureKey(sha256), LIMITS.signatureFileBytesMax, signal);
  return { bytes, signature: signature && textOf(signature) };
}

async function bounded(
  store: ObjectStore,
  key: string,
  bytesMax: number,
  signal?: AbortSignal,
): Promise<Bytes | undefined> {
  const found = await store.stat(key, signal);
  if (found === undefined) return undefined;
  if (found.sizeBytes > bytesMax) throw refused(key, `it has ${found.sizeBytes} bytes, ${bytesMax} are allowed`);
  return await store.get(key, { offset: 0, length: found.sizeBytes }, signal);
}

function refused(key: string, why: string): AxiomError {
  return new AxiomError("plugin_refused", `Cannot use the decoder ${key}: ${why}`, {
    hint: "Load the plugin with `axiom plugin load`; `axiom repair decoders` then puts it right",
  });
}

/** What is not UTF-8 is no signature, and its reader says so. */
function textOf(data: Bytes): string {
  try {
    return fromUtf8(data);
  } catch {
    return "";
  }
}

/**
 * Puts a decoder where it is missing, or is not what its name says: then what is there is moved out of the way. Returns
 * whether the module was put. Throws `object_exists` where it cannot be moved.
 */
export async function storeDecoder(
  store: ObjectStore,
  sha256: string,
  { bytes, signature }: DecoderModule,
): Promise<boolean> {
  const key = decoderKey(sha256);
  const wasThere = await isWhole(store, sha256);
  if (!wasThere) {
    if (await store.stat(key) !== undefined) await setAside(store, key);
    await store.put(key, bytes);
  }
  const signatureKey = decoderSignatureKey(sha256);
  if (signature !== undefined && await store.stat(signatureKey) === undefined) {
    await store.put(signatureKey, utf8(signature)).catch((error) => {
      if (!isKind(error, "object_exists")) throw error; // another client's, just now
    });
  }
  return !wasThere;
}

/** Whether the decoder is there with the bytes that its name says. */
export async function isWhole(store: ObjectStore, sha256: string, signal?: AbortSignal): Promise<boolean> {
  try {
    return await readDecoder(store, sha256, signal) !== undefined;
  } catch (error) {
    if (isKind(error, "plugin_refused", "data_damaged", "object_missing")) return false;
    throw error;
  }
}
