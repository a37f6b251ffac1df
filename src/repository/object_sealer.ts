import type { Bytes } from "../base/bytes.ts";
import type { Random } from "../base/random.ts";
import type { SealedType } from "../model/envelope.ts";
import { openObject, sealObject } from "./envelope_sealer.ts";
import type { RepositoryKeys } from "./keys.ts";

/** Seals and opens the objects of one repository that are no packs. */
export class ObjectSealer {
  constructor(readonly keys: RepositoryKeys, readonly random: Random) {}

  seal(type: SealedType, key: string, payload: Bytes): Promise<Bytes> {
    return sealObject(this.keys, type, key, payload, this.random);
  }

  open(type: SealedType, key: string, stored: Bytes): Promise<Bytes> {
    return openObject(this.keys, type, key, stored);
  }
}
