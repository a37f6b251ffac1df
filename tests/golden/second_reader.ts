/**
 * A second reader: primitives of the platform, Argon2 from npm, what docs/format.md says, and nothing of `src`. If it
 * opens what the program wrote, the two agree on every byte.
 */
import { Buffer } from "node:buffer";
import { createDecipheriv, createHash, createHmac, hkdfSync, pbkdf2Sync } from "node:crypto";
import { argon2id } from "hash-wasm";

type Slot = Record<string, string> & { kdf: Record<string, number> & { algorithm: string } };

const hex = (text: string) => Buffer.from(text, "hex");
const hkdf = (key: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number) =>
  Buffer.from(hkdfSync("sha256", key, salt, info, length));
const label = (text: string, ...parts: Uint8Array[]) => Buffer.concat([Buffer.from(text), ...parts]);
const NONE = Buffer.alloc(0);

function openGcm(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Buffer): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", key, nonce);
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
}

function covered(objectKey: string, json: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(Buffer.byteLength(objectKey));
  return Buffer.concat([length, Buffer.from(objectKey), Buffer.from(json)]);
}

function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(",")}}`;
}

async function kdfOutput(slot: Slot, secret: { password: string } | { keyFile: string }): Promise<Buffer> {
  const salt = hex(slot.salt);
  if ("keyFile" in secret) return hkdf(hex(secret.keyFile), salt, label("axiom/1/key-file"), 32);
  const password = Buffer.from(secret.password.normalize("NFC"));
  if (slot.kdf.algorithm === "pbkdf2-hmac-sha256") return pbkdf2Sync(password, salt, slot.kdf.iterations, 32, "sha256");
  const { memory_kib: memorySize, passes: iterations, lanes: parallelism } = slot.kdf;
  const options = { password, salt, memorySize, iterations, parallelism, hashLength: 32, outputType: "hex" } as const;
  return hex(await argon2id(options));
}

export interface ReadSlot {
  output: Buffer;
  commitment: Buffer;
  wrappingKey: Buffer;
  master: Buffer;
}

/** Opens a slot; throws unless its check sum, commitment, seal and MAC are right. */
export async function readSlot(
  objectKey: string,
  object: string,
  secret: { password: string } | { keyFile: string },
): Promise<ReadSlot> {
  const [json, check, end] = object.split("\n");
  const checkSum = createHash("sha256").update(covered(objectKey, json)).digest("hex");
  if (check !== checkSum || end !== "") throw new Error("check sum");
  const slot = JSON.parse(json) as Slot;
  const output = await kdfOutput(slot, secret);
  const both = hkdf(output, NONE, label("axiom/1/slot"), 64);
  const commitment = both.subarray(0, 32), wrappingKey = both.subarray(32);
  if (commitment.toString("hex") !== slot.commitment) throw new Error("commitment");
  const { mac, ...unsigned } = slot;
  const { wrapped_master: wrapped, ...bound } = unsigned;
  const aad = covered(objectKey, canonical(bound));
  const master = openGcm(wrappingKey, hex(slot.nonce), aad, hex(wrapped as string));
  const macKey = hkdf(master, NONE, label("axiom/1/slot-mac", hex(slot.repository_id)), 32);
  const expected = createHmac("sha256", macKey).update(covered(objectKey, canonical(unsigned))).digest("hex");
  if ((mac as unknown) !== expected) throw new Error("MAC");
  return { output, commitment, wrappingKey, master };
}

/** The config's members; throws unless its MAC is right. */
export function readConfig(objectKey: string, object: string, master: Buffer): Record<string, unknown> {
  const [json, check] = object.split("\n");
  const config = JSON.parse(json);
  const key = hkdf(master, NONE, label("axiom/1/config", hex(config.repository_id)), 32);
  if (createHmac("sha256", key).update(covered(objectKey, json)).digest("hex") !== check) throw new Error("MAC");
  return config;
}

/** The payload of an envelope. `info` is what the key's derivation is labelled with. */
export function readEnvelope(
  objectKey: string,
  object: Buffer,
  keyOf: (epoch: number) => Buffer,
  info: Buffer,
): string {
  if (object.subarray(0, 4).toString() !== "AXEN" || object[5] !== 1) throw new Error("header");
  const key = hkdf(keyOf(object.readUInt32LE(6)), object.subarray(10, 42), info, 32);
  const aad = Buffer.concat([object.subarray(0, 54), Buffer.from(objectKey)]);
  const plain = openGcm(key, object.subarray(42, 54), aad, object.subarray(54));
  const length = plain.readUInt32LE(0);
  if (plain.subarray(4 + length).some((byte) => byte !== 0)) throw new Error("padding");
  return plain.subarray(4, 4 + length).toString();
}

export { hex, hkdf, label, NONE };
