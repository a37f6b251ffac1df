import { type Bytes, concat, viewOf } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { type Random, systemRandom } from "../base/random.ts";
import type { Cipher } from "../stages/codec.ts";
import type { InstancePool } from "./instance_pool.ts";
import type { PluginManifest } from "./manifest.ts";
import { nameOfPlugin, PluginFailure } from "./plugin_failure.ts";

const KEY_BYTES = 32;

/**
 * A plugin of the category encryption as a stage. What it writes is stored after the nonce, which the host draws.
 *
 * ```text
 * input of seal and open   length of aad u32, little-endian | key 32 | nonce | aad | plain, or ciphertext and tag
 * output of seal           ciphertext and tag, longer than the plain bytes by `overhead_bytes`
 * output of open           plain
 * ```
 *
 * Where a plugin fails by its own fault while it opens, nothing is said of the data: only an answer `auth` or `corrupt_data`
 * makes it `data_damaged`. Nothing is ever stored that did not come back with the right length.
 *
 * @param random Source of nonces; anything but the system's own is for tests
 */
export function wasmCipher(pool: InstancePool, manifest: PluginManifest, random: Random = systemRandom): Cipher {
  const { plugin } = pool.settings;
  const nonceBytes = manifest.nonceBytes!, tagBytes = manifest.overheadBytes!;
  const name = nameOfPlugin(plugin);
  return {
    pluginId: plugin.pluginId,
    version: plugin.version,
    formatId: manifest.formatId!,
    decoder: plugin.sha256,
    keyBytes: KEY_BYTES,
    overheadBytes: () => nonceBytes + tagBytes,
    async seal(key, aad, plain) {
      requireKey(name, key);
      const nonce = random(nonceBytes), length = plain.length + tagBytes;
      const secret = await run(pool, "seal", { key, nonce, aad, data: plain }, length);
      if (secret.length === length) return concat([nonce, secret]);
      const why = `it made ${secret.length} bytes of ${plain.length} instead of ${length}`;
      throw new AxiomError("plugin_failed", `Cannot run seal of ${name}: ${why}`, { hint: "Use another cipher" });
    },
    async open(key, aad, sealed) {
      requireKey(name, key);
      const length = sealed.length - nonceBytes - tagBytes;
      if (length < 0) {
        throw damaged(name, `it has ${sealed.length} bytes, at least ${nonceBytes + tagBytes} are needed`);
      }
      const nonce = sealed.subarray(0, nonceBytes), data = sealed.subarray(nonceBytes);
      const plain = await run(pool, "open", { key, nonce, aad, data }, length).catch((error) => {
        const isData = error instanceof PluginFailure && ["auth", "corrupt_data"].includes(error.failure);
        throw isData ? damaged(name, error.message, error) : error;
      });
      if (plain.length === length) return plain;
      throw damaged(name, `it holds ${plain.length} bytes instead of ${length}`);
    },
  };
}

interface Parts {
  key: Bytes;
  nonce: Bytes;
  aad: Bytes;
  data: Bytes;
}

async function run(pool: InstancePool, operation: "seal" | "open", parts: Parts, length: number): Promise<Bytes> {
  const aadLength = new Uint8Array(4);
  viewOf(aadLength).setUint32(0, parts.aad.length, true);
  const input = concat([aadLength, parts.key, parts.nonce, parts.aad, parts.data]);
  const call = { verb: "execute", operation, input, isInputGiven: true, outputBytesMax: length } as const;
  return (await pool.call(call)).output;
}

function requireKey(name: string, key: Bytes): void {
  if (key.length !== KEY_BYTES) throw new RangeError(`${name} wants a key of ${KEY_BYTES} bytes, not ${key.length}`);
}

function damaged(name: string, why: string, cause?: unknown): AxiomError {
  return new AxiomError("data_damaged", `Cannot open what ${name} sealed: ${why}`, { cause });
}
