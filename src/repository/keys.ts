import { type Bytes, fromHex } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { CHUNK_KIND_NAMES, type ChunkKind } from "../model/chunk.ts";
import { OBJECT_TYPES, SALT_BYTES, type SealedType } from "../model/envelope.ts";
import type { Keyring } from "../model/keyring.ts";
import type { Cipher } from "../stages/codec.ts";
import { hkdf, NO_SALT } from "./hkdf.ts";

export type ChunkKindName = (typeof CHUNK_KIND_NAMES)[number];

/**
 * Every key of an open repository, derived from its keyring by HKDF-SHA-256; synchronous, a few microseconds each.
 *
 * ```text
 * from              salt           info                                                            bytes
 * root of an epoch  of the object  "axiom/1/obj/"  | type u8 | repository id 16                       32
 * root of an epoch  of the pack    "axiom/1/pack/" | kind | "/" | format | "/" | repository id 16   32, 64
 * root of an epoch  of the pack    "axiom/1/table/" | repository id 16                                32
 * root of an epoch  of the pack    "axiom/1/plain-mac" | repository id 16                             32
 * id root           none           "axiom/1/id/" | kind                                               32
 * id root           none           "axiom/1/tree-split"                                               32
 * id root           none           "axiom/1/client-cache" | repository id 16                          32
 * ```
 *
 * `kind` is `data`, `tree` or `plain`; `format` is the cipher's format id, such as `aes-256-gcm-1`. Ids do not depend on the
 * repository id, so repositories made with the same id root deduplicate alike.
 */
export class RepositoryKeys {
  /** 16 bytes. */
  readonly repositoryId: Bytes;
  /** Of what is sealed from now on. */
  readonly epoch: number;
  /** Private, so that no log of this object shows a key. */
  readonly #roots: ReadonlyMap<number, Bytes>;
  readonly #keyring: Keyring;
  /** Asked for by every folder. */
  #treeSplitKey: Bytes | undefined;

  /** @param repositoryId 32 hexadecimal digits */
  constructor(repositoryId: string, keyring: Keyring) {
    this.repositoryId = fromHex(repositoryId);
    this.#keyring = keyring;
    this.#roots = new Map(keyring.roots.map(({ epoch, key }) => [epoch, fromHex(key)]));
    this.epoch = keyring.roots.at(-1)!.epoch;
  }

  /** All secrets as plain data, to make the same keys in a worker. */
  keyring(): Keyring {
    return this.#keyring;
  }

  hasEpoch(epoch: number): boolean {
    return this.#roots.has(epoch);
  }

  objectKey(type: SealedType, epoch: number, salt: Bytes): Bytes {
    return this.#derive(epoch, salt, "axiom/1/obj/", [Uint8Array.of(OBJECT_TYPES[type]), this.repositoryId], 32);
  }

  packFrameKey(epoch: number, salt: Bytes, kind: ChunkKind, cipher: Pick<Cipher, "formatId" | "keyBytes">): Bytes {
    const { formatId, keyBytes } = cipher;
    if (keyBytes !== 32 && keyBytes !== 64) throw new RangeError(`A frame key has 32 or 64 bytes, not ${keyBytes}`);
    if (!/^[a-z0-9][a-z0-9._-]{0,63}$/.test(formatId)) throw new RangeError(`Not the format of a cipher: ${formatId}`);
    const label = `axiom/1/pack/${CHUNK_KIND_NAMES[kind]}/${formatId}/`;
    return this.#derive(epoch, salt, label, [this.repositoryId], keyBytes);
  }

  packTableKey(epoch: number, salt: Bytes): Bytes {
    return this.#derive(epoch, salt, "axiom/1/table/", [this.repositoryId], 32);
  }

  /** Of the MAC at the end of frames that are not encrypted. */
  plainMacKey(epoch: number, salt: Bytes): Bytes {
    return this.#derive(epoch, salt, "axiom/1/plain-mac", [this.repositoryId], 32);
  }

  chunkIdKey(kind: ChunkKindName): Bytes {
    return hkdf(fromHex(this.#keyring.id_root), NO_SALT, `axiom/1/id/${kind}`, [], 32);
  }

  /** Trees are not cut by content, so they have none. */
  chunkerKey(kind: "data" | "plain"): Bytes {
    return fromHex(this.#keyring.chunker_keys[kind]);
  }

  /** Decides which names end a leaf of a folder. */
  treeSplitKey(): Bytes {
    return this.#treeSplitKey ??= hkdf(fromHex(this.#keyring.id_root), NO_SALT, "axiom/1/tree-split", [], 32);
  }

  /** Of the MAC by which a client recognizes what it keeps outside of the repository. */
  clientCacheKey(): Bytes {
    return hkdf(fromHex(this.#keyring.id_root), NO_SALT, "axiom/1/client-cache", [this.repositoryId], 32);
  }

  /** Throws `data_damaged` for an epoch that the keyring lacks. */
  #derive(epoch: number, salt: Bytes, label: string, parts: readonly Uint8Array[], lengthBytes: number): Bytes {
    if (salt.length !== SALT_BYTES) throw new RangeError(`A salt has ${SALT_BYTES} bytes, not ${salt.length}`);
    const root = this.#roots.get(epoch);
    if (root === undefined) {
      throw new AxiomError("data_damaged", `Cannot derive a key of epoch ${epoch}: the newest known is ${this.epoch}`, {
        hint: "If keys were rotated meanwhile, run the command again; otherwise `axiom check` finds what is damaged",
      });
    }
    return hkdf(root, salt, label, parts, lengthBytes);
  }
}
