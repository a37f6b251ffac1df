/** Ed25519 over BLAKE2b-512, as `minisign` signs and verifies. */
import { createHash } from "node:crypto";
import { type Bytes, concat, equalBytes, fromBase64, fromHex, utf8 } from "../base/bytes.ts";
import type { Random } from "../base/random.ts";
import { checkComment, type PublicKey, type SecretKey, type Signature } from "./minisign_format.ts";

const SEED_BYTES = 32, KEY_ID_BYTES = 8;
/** PKCS #8 around a seed (RFC 8410, section 7). */
const PKCS8_HEAD = fromHex("302e020100300506032b657004220420");

export async function generateKey(random: Random): Promise<SecretKey> {
  const seed = random(SEED_BYTES);
  return { keyId: random(KEY_ID_BYTES), seed, key: await publicKeyOf(seed) };
}

/** Throws `RangeError` for a secret key whose halves do not belong together, or a comment that is no line. */
export async function sign(data: Uint8Array, secret: SecretKey, trustedComment: string): Promise<Signature> {
  checkComment(trustedComment);
  if (!equalBytes(await publicKeyOf(secret.seed), secret.key)) {
    throw new RangeError("its two halves do not belong together");
  }
  const key = await importSeed(secret.seed, false);
  const signed = async (message: Bytes) => new Uint8Array(await crypto.subtle.sign("Ed25519", key, message));
  const signature = await signed(digest(data));
  const globalSignature = await signed(concat([signature, utf8(trustedComment)]));
  return { keyId: secret.keyId, signature, trustedComment, globalSignature };
}

/** What is wrong with the signature of `data`, or nothing. */
export async function signatureFault(
  data: Uint8Array,
  { keyId, signature, trustedComment, globalSignature }: Signature,
  trusted: PublicKey,
): Promise<string | undefined> {
  if (!equalBytes(keyId, trusted.keyId)) return "it was made with another key";
  const key = await crypto.subtle.importKey("raw", trusted.key, "Ed25519", false, ["verify"]);
  const holds = (what: Bytes, message: Bytes) => crypto.subtle.verify("Ed25519", key, what, message);
  if (!await holds(signature, digest(data))) return "it does not match the file";
  if (!await holds(globalSignature, concat([signature, utf8(trustedComment)]))) {
    return "its trusted comment was changed";
  }
  return undefined;
}

function digest(data: Uint8Array): Bytes {
  return new Uint8Array(createHash("blake2b512").update(data).digest());
}

function importSeed(seed: Bytes, extractable: boolean): Promise<CryptoKey> {
  return crypto.subtle.importKey("pkcs8", concat([PKCS8_HEAD, seed]), "Ed25519", extractable, ["sign"]);
}

async function publicKeyOf(seed: Bytes): Promise<Bytes> {
  const { x } = await crypto.subtle.exportKey("jwk", await importSeed(seed, true));
  return fromBase64(x!.replaceAll("-", "+").replaceAll("_", "/"));
}
