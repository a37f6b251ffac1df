/** What a new generation must be able to do before anything depends on it; nothing of a user's data is used. */
import { type Bytes, concat, equalBytes, KIB, utf8 } from "../base/bytes.ts";
import { isKind } from "../base/errors.ts";
import type { Cipher, Codec } from "../stages/codec.ts";
import { noise, text } from "./conformance_samples.ts";
import { PluginFailure } from "./plugin_failure.ts";
import type { OpenPlugin, PluginSource } from "./plugin_source.ts";

interface Probed {
  readonly source: PluginSource;
  readonly open: OpenPlugin;
}

function vectors(): Bytes[] {
  return [new Uint8Array(0), utf8("x"), concat([text(64 * KIB), new Uint8Array(16 * KIB)]), noise(4 * KIB)];
}

/**
 * Validates, then makes round trips. Where the old one writes a format that the new one reads, the new one reads what the old
 * one wrote. Throws {@linkcode PluginFailure}.
 */
export async function probe(fresh: Probed, old: Probed | undefined): Promise<void> {
  await fresh.open.pool?.call({ verb: "validate" });
  const { codec, ciphers } = fresh.open;
  const reads = (formatId: string) => fresh.source.formats.includes(formatId);
  if (codec !== undefined) {
    const writers = [
      codec,
      ...(old?.open.codec !== undefined && reads(old.open.codec.formatId) ? [old.open.codec] : []),
    ];
    for (const writer of writers) await probeCodec(fresh, codec, writer);
  }
  for (const cipher of ciphers) {
    const before = old?.open.ciphers.filter(({ formatId, keyBytes }) =>
      reads(formatId) && keyBytes === cipher.keyBytes
    );
    for (const writer of [cipher, ...(before ?? [])]) await probeCipher(fresh, cipher, writer);
  }
}

async function probeCodec({ source }: Probed, reader: Codec, writer: Codec): Promise<void> {
  for (const plain of vectors()) {
    const encoded = await writer.encode(plain.slice(), writer.levels.default);
    const what = `${plain.length} bytes that ${writer.version} encoded`;
    const back = await read(source, `decode ${what}`, () => reader.decode(encoded.slice(), plain.length));
    if (!equalBytes(back, plain)) throw failed(source, `it decodes ${what} to other bytes`);
  }
}

async function probeCipher({ source }: Probed, reader: Cipher, writer: Cipher): Promise<void> {
  const key = noise(reader.keyBytes, 7), aad = noise(72, 8);
  for (const plain of vectors()) {
    const sealed = await writer.seal(key, aad, plain);
    const what = `${plain.length} bytes that ${writer.version} sealed`;
    const back = await read(source, `open ${what}`, () => reader.open(key, aad, sealed.slice()));
    if (!equalBytes(back, plain)) throw failed(source, `it opens ${what} as other bytes`);
    const flipped = sealed.slice();
    flipped[sealed.length - 1] ^= 1;
    if (await opens(reader, key, aad, flipped)) throw failed(source, "it opens what was changed");
  }
}

async function opens(reader: Cipher, key: Bytes, aad: Bytes, sealed: Bytes): Promise<boolean> {
  try {
    await reader.open(key, aad, sealed);
    return true;
  } catch (error) {
    if (isKind(error, "data_damaged")) return false;
    throw error;
  }
}

async function read(source: PluginSource, what: string, work: () => Bytes | Promise<Bytes>): Promise<Bytes> {
  try {
    return await work();
  } catch (error) {
    if (!isKind(error, "data_damaged")) throw error;
    throw failed(source, `it cannot ${what}: ${error.message}`);
  }
}

function failed({ plugin }: PluginSource, why: string): PluginFailure {
  return new PluginFailure(plugin, "abi", "use", why);
}
