/** How a key slot turns its secret into 32 bytes, as stored; and what a reader accepts before it computes anything. */
import { LIMITS } from "../base/limits.ts";
import { isDocument, isIntegerIn } from "./fields.ts";

export type KdfParameters =
  /** RFC 9106, version 0x13. */
  | { algorithm: "argon2id"; memory_kib: number; passes: number; lanes: number }
  /** RFC 8018, section 5.2. */
  | { algorithm: "pbkdf2-hmac-sha256"; iterations: number }
  /** RFC 5869; for key files, which need no slow function because they hold random bytes. */
  | { algorithm: "hkdf-sha256" };

export type KdfAlgorithm = KdfParameters["algorithm"];

export const DEFAULT_KDF = {
  "argon2id": { algorithm: "argon2id", memory_kib: 64 * 1024, passes: 3, lanes: 1 },
  "pbkdf2-hmac-sha256": { algorithm: "pbkdf2-hmac-sha256", iterations: LIMITS.kdfIterationsMin },
  "hkdf-sha256": { algorithm: "hkdf-sha256" },
} as const satisfies { [A in KdfAlgorithm]: KdfParameters & { algorithm: A } };

const MEMBERS: Record<KdfAlgorithm, readonly string[]> = {
  "argon2id": ["algorithm", "lanes", "memory_kib", "passes"],
  "pbkdf2-hmac-sha256": ["algorithm", "iterations"],
  "hkdf-sha256": ["algorithm"],
};

export interface KdfFault {
  kind: "data_damaged" | "limit_exceeded" | "repository_unsupported";
  why: string;
}

/** Says why a reader must not compute with these parameters, or nothing. Unknown members change the result: refused. */
export function kdfFault(kdf: unknown): KdfFault | undefined {
  if (!isDocument(kdf) || typeof kdf.algorithm !== "string" || !/^[a-z0-9-]{1,64}$/.test(kdf.algorithm)) {
    return { kind: "data_damaged", why: "its KDF is malformed" };
  }
  if (!Object.hasOwn(MEMBERS, kdf.algorithm)) {
    return { kind: "repository_unsupported", why: `the KDF ${kdf.algorithm} is unknown` };
  }
  const algorithm = kdf.algorithm as KdfAlgorithm;
  if (Object.keys(kdf).sort().join() !== MEMBERS[algorithm].join()) {
    return { kind: "repository_unsupported", why: `its parameters of ${algorithm} are not those that are known` };
  }
  const costs = Object.entries(kdf).filter(([name]) => name !== "algorithm");
  if (!costs.every(([, cost]) => isIntegerIn(cost, 1, Number.MAX_SAFE_INTEGER))) {
    return { kind: "data_damaged", why: "a cost of its KDF is not a positive number" };
  }
  const why = costFault(kdf as unknown as KdfParameters);
  return why === undefined ? undefined : { kind: "limit_exceeded", why };
}

function costFault(kdf: KdfParameters): string | undefined {
  if (kdf.algorithm === "pbkdf2-hmac-sha256") return above("iterations", kdf.iterations, LIMITS.kdfIterationsMax);
  if (kdf.algorithm === "hkdf-sha256") return undefined;
  // RFC 9106, section 3.1: at least 8 blocks of 1 KiB per lane.
  if (kdf.memory_kib < 8 * kdf.lanes) return `${kdf.memory_kib} KiB are too few for ${kdf.lanes} lanes`;
  return above("KiB", kdf.memory_kib, LIMITS.kdfMemoryKibMax) ?? above("passes", kdf.passes, LIMITS.kdfTimeMax) ??
    above("lanes", kdf.lanes, LIMITS.kdfLanesMax);
}

function above(unit: string, value: number, maximum: number): string | undefined {
  return value > maximum ? `its KDF wants ${value} ${unit}, more than ${maximum}` : undefined;
}

/** Says why a new slot must not be that weak, or nothing. */
export function weakKdfFault(kdf: KdfParameters): string | undefined {
  switch (kdf.algorithm) {
    case "argon2id":
      return kdf.memory_kib < LIMITS.kdfMemoryKibMin
        ? `${kdf.memory_kib} KiB of memory are less than ${LIMITS.kdfMemoryKibMin}`
        : undefined;
    case "pbkdf2-hmac-sha256":
      return kdf.iterations < LIMITS.kdfIterationsMin
        ? `${kdf.iterations} iterations are fewer than ${LIMITS.kdfIterationsMin}`
        : undefined;
    default:
      return undefined;
  }
}

/** For people: `argon2id, 64 MiB, 3 passes, 1 lane`. */
export function describeKdf(kdf: KdfParameters): string {
  switch (kdf.algorithm) {
    case "argon2id":
      return `argon2id, ${kdf.memory_kib / 1024} MiB, ${kdf.passes} passes, ${kdf.lanes} ${
        kdf.lanes === 1 ? "lane" : "lanes"
      }`;
    case "pbkdf2-hmac-sha256":
      return `pbkdf2-hmac-sha256, ${kdf.iterations} iterations`;
    default:
      return "hkdf-sha256 of a key file";
  }
}
