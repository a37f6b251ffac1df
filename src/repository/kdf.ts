import type { Bytes } from "../base/bytes.ts";
import { AxiomError, throwIfAborted } from "../base/errors.ts";
import { describeKdf, kdfFault, type KdfParameters } from "../model/kdf_parameters.ts";
import { hkdf } from "./hkdf.ts";
import { takeKdfThread } from "./kdf_thread.ts";
import type { Argon2Reply, Argon2Request } from "./kdf_worker.ts";

const OUTPUT_BYTES = 32;

/**
 * 32 bytes from a secret.
 *
 * Throws before any work what {@linkcode kdfFault} says; `kdf_failed` if the memory cannot be had, `interrupted` at once
 * when aborted.
 */
export async function runKdf(kdf: KdfParameters, secret: Bytes, salt: Bytes, signal?: AbortSignal): Promise<Bytes> {
  throwIfAborted(signal);
  const fault = kdfFault(kdf);
  if (fault !== undefined) throw new AxiomError(fault.kind, `Cannot derive a key: ${fault.why}`);
  switch (kdf.algorithm) {
    case "argon2id":
      return await argon2id(kdf, secret, salt, signal);
    case "pbkdf2-hmac-sha256":
      return await pbkdf2(secret, salt, kdf.iterations);
    case "hkdf-sha256":
      return hkdf(secret, salt, "axiom/1/key-file", [], OUTPUT_BYTES);
  }
}

async function pbkdf2(secret: Bytes, salt: Bytes, iterations: number): Promise<Bytes> {
  const key = await crypto.subtle.importKey("raw", secret, "PBKDF2", false, ["deriveBits"]);
  const algorithm = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, key, 8 * OUTPUT_BYTES));
}

async function argon2id(
  kdf: KdfParameters & { algorithm: "argon2id" },
  secret: Bytes,
  salt: Bytes,
  signal?: AbortSignal,
): Promise<Bytes> {
  const { promise, resolve, reject } = Promise.withResolvers<Argon2Reply>();
  const worker = takeKdfThread();
  worker.onmessage = (event: MessageEvent<Argon2Reply>) => resolve(event.data);
  worker.onerror = (event) => {
    event.preventDefault();
    resolve({ failure: event.message });
  };
  const onAbort = () => reject(signal!.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const { memory_kib: memoryKib, passes, lanes } = kdf;
    worker.postMessage({ secret, salt, memoryKib, passes, lanes } satisfies Argon2Request);
    const reply = await promise;
    if ("output" in reply) return reply.output;
    throw new AxiomError("kdf_failed", `Cannot derive a key by ${describeKdf(kdf)}: ${reply.failure}`, {
      hint: "Free some memory, or use a key slot with another KDF",
    });
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    worker.terminate();
  }
}
