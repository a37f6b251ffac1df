import { toHex } from "../../src/base/bytes.ts";
import type { Keyring } from "../../src/model/keyring.ts";
import { RepositoryKeys } from "../../src/repository/keys.ts";
import { seededRandom } from "../fixtures/fixed.ts";

/** The keys of the repository that all vectors are of. */
export function vectorKeys(): { keys: RepositoryKeys; repositoryId: string; keyring: Keyring } {
  const random = seededRandom("vectors");
  const hex = (length: number) => toHex(random(length));
  const repositoryId = hex(16);
  const keyring: Keyring = {
    version: 1,
    master_generation: 1,
    roots: [{ epoch: 3, key: hex(32), created: "0" }],
    id_root: hex(32),
    chunker_keys: { data: hex(32), plain: hex(32) },
    audit_key: hex(32),
  };
  return { keys: new RepositoryKeys(repositoryId, keyring), repositoryId, keyring };
}
