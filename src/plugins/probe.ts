/** What a new generation must be able to do before anything depends on it; nothing of a user's data is used. */
import { type Bytes, concat, equalBytes, free, KIB, utf8 } from "../base/bytes.ts";
import { isKind } from "../base/errors.ts";
import { noise, text } from "./conformance_samples.ts";
import { PluginFailure } from "./plugin_failure.ts";
import type { OpenPlugin, PluginSource } from "./plugin_source.ts";

interface Probed {
  readonly source: PluginSource;
  readonly open: OpenPlugin;
}

/** A codec or a cipher. */
interface Stage {
  /** Two of the same kind can read each other. */
  readonly kind: string;
  readonly formatId: string;
  readonly did: string;
  write(plain: Bytes): Bytes | Promise<Bytes>;
  read(written: Bytes, plainLength: number): Bytes | Promise<Bytes>;
  readonly isSealing: boolean;
}

let vectors: readonly Bytes[] | undefined;

/** Made once, since the text takes longer than all calls of a probe. */
function samples(): readonly Bytes[] {
  vectors ??= [new Uint8Array(0), utf8("x"), concat([text(16 * KIB), new Uint8Array(64 * KIB)]), noise(4 * KIB)];
  return vectors;
}

/**
 * Validates, then makes round trips. Where the old one writes a format that the new one reads, the new one reads what the old
 * one wrote, which it does while the thread of the new one comes up. Throws {@linkcode PluginFailure}.
 */
export async function probe(fresh: Probed, old: Probed | undefined): Promise<void> {
  const stages = stagesOf(fresh.open);
  const before = old === undefined
    ? []
    : stagesOf(old.open).filter(({ kind, formatId }) =>
      fresh.source.formats.includes(formatId) && stages.some((each) => each.kind === kind)
    );
  const validated = fresh.open.pool?.call({ verb: "validate" });
  const [written] = await Promise.all([Promise.all(before.map(writeIfAble)), validated]);
  for (const stage of stages) {
    await readBack(fresh.source, stage, stage, await write(stage));
    for (const [at, each] of before.entries()) {
      const data = written[at];
      if (each.kind === stage.kind && data !== undefined) await readBack(fresh.source, stage, each, data);
    }
  }
}

function stagesOf({ codec, ciphers }: OpenPlugin): Stage[] {
  const codecs = codec === undefined ? [] : [codec];
  return [
    ...codecs.map((codec): Stage => ({
      kind: "codec",
      formatId: codec.formatId,
      did: `${codec.version} encoded`,
      isSealing: false,
      write: (plain) => codec.encode(plain, codec.levels.default),
      read: (written, plainLength) => codec.decode(written, plainLength),
    })),
    ...ciphers.map((cipher): Stage => ({
      kind: `cipher ${cipher.keyBytes}`,
      formatId: cipher.formatId,
      did: `${cipher.version} sealed`,
      isSealing: true,
      write: (plain) => cipher.seal(noise(cipher.keyBytes, 7), noise(72, 8), plain),
      read: (written) => cipher.open(noise(cipher.keyBytes, 7), noise(72, 8), written),
    })),
  ];
}

async function write(stage: Stage): Promise<Bytes[]> {
  const written: Bytes[] = [];
  for (const plain of samples()) written.push(await stage.write(plain.slice()));
  return written;
}

/** What no longer works can be replaced. */
async function writeIfAble(stage: Stage): Promise<Bytes[] | undefined> {
  try {
    return await write(stage);
  } catch (error) {
    if (isKind(error, "plugin_failed")) return undefined;
    throw error;
  }
}

async function readBack({ plugin }: PluginSource, reader: Stage, writer: Stage, written: Bytes[]): Promise<void> {
  const failed = (why: string) => new PluginFailure(plugin, "abi", "use", why);
  const verb = reader.isSealing ? "open" : "decode";
  for (const [at, plain] of samples().entries()) {
    const data = written[at];
    const what = `${plain.length} bytes that ${writer.did}`;
    const back = await attempt(reader, data.slice(), plain.length);
    if (back instanceof Error) throw failed(`it cannot ${verb} ${what}: ${back.message}`);
    if (!equalBytes(back, plain)) throw failed(`it ${verb}s ${what} as other bytes`);
    free(back);
    if (reader.isSealing) {
      data[data.length - 1] ^= 1;
      const opened = await attempt(reader, data, plain.length);
      if (!(opened instanceof Error)) throw failed("it opens what was changed");
    }
    free(data);
  }
}

/** The error where the data are damaged, for the reader. */
async function attempt(reader: Stage, written: Bytes, plainLength: number): Promise<Bytes | Error> {
  try {
    return await reader.read(written, plainLength);
  } catch (error) {
    if (isKind(error, "data_damaged")) return error as Error;
    throw error;
  }
}
