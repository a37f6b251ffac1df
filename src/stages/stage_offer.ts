/**
 * Codecs and ciphers that do not run where frames are made: their owner offers them, and each use is a call to it. An offer is
 * of one generation of a plugin; what it made is proved by the same generation.
 */
import type { Bytes } from "../base/bytes.ts";
import type { Cipher, Codec, FormatOrigin } from "./codec.ts";
import { FormatRegistry, StageRegistry } from "./registry.ts";

interface Offer extends FormatOrigin {
  readonly generation: number;
  /** What it reads besides `formatId`. */
  readonly reads: readonly string[];
  /** Made way for another one, and is here for what it wrote. */
  readonly isForReading: boolean;
}

export interface CodecOffer extends Offer {
  readonly role: "codec";
  readonly levels: Codec["levels"];
}

export interface CipherOffer extends Offer {
  readonly role: "cipher";
  readonly keyBytes: number;
  /** Whatever the length. */
  readonly overheadBytes: number;
}

export type StageOffer = CodecOffer | CipherOffer;

/** A call of an offered stage. Byte arrays may be transferred by whoever makes it. */
export type StageCall =
  & { readonly pluginId: string; readonly generation: number }
  & (
    | { readonly operation: "encode"; readonly data: Bytes; readonly level: number }
    /** A proof decodes what the same generation has just encoded, so that damage is its own fault. */
    | { readonly operation: "decode"; readonly data: Bytes; readonly plainLength: number; readonly isProof: boolean }
    | { readonly operation: "seal" | "open"; readonly data: Bytes; readonly key: Bytes; readonly aad: Bytes }
  );

export interface StageOwner {
  /** Fails as the stage does. */
  call(call: StageCall): Promise<Bytes>;
  /** An answer of this generation was wrong. */
  refuse(fault: StageFault): Promise<void>;
}

export interface StageFault {
  readonly pluginId: string;
  readonly generation: number;
  readonly why: string;
  /** Its fault was counted before; a built-in stage takes its place, as the user allowed. */
  readonly isReplaced: boolean;
}

/** What was built in, with what is offered: in the place of a built-in one of the same id, or after all of them. */
export function stagesWith(builtIn: StageRegistry, offers: readonly StageOffer[], owner: StageOwner): StageRegistry {
  const codecs = offers.filter((each) => each.role === "codec").flatMap((each) =>
    inFormats(each, codecOf(each, owner))
  );
  const ciphers = offers.filter((each) => each.role === "cipher")
    .flatMap((each) => inFormats(each, cipherOf(each, owner)));
  return new StageRegistry(merged(builtIn.codecs, codecs), merged(builtIn.ciphers, ciphers));
}

interface Offered<T> {
  readonly stage: T;
  readonly isForReading: boolean;
}

function inFormats<T extends FormatOrigin>({ formatId, reads, isForReading }: Offer, stage: T): Offered<T>[] {
  const others = reads.filter((each) => each !== formatId);
  return [
    { stage, isForReading },
    ...others.map((other) => ({ stage: { ...stage, formatId: other }, isForReading: true })),
  ];
}

/** The first of an id writes, the first of a format reads. */
function merged<T extends FormatOrigin>(builtIn: FormatRegistry<T>, offered: readonly Offered<T>[]): FormatRegistry<T> {
  const writers = offered.filter(({ isForReading }) => !isForReading).map(({ stage }) => stage);
  const readers = offered.filter(({ isForReading }) => isForReading).map(({ stage }) => stage);
  const before = writers.filter(({ pluginId }) => builtIn.has(pluginId));
  const after = writers.filter(({ pluginId }) => !builtIn.has(pluginId));
  const all = [...before, ...builtIn.all, ...after];
  const isFirst = ({ pluginId, formatId }: T, at: number) =>
    all.findIndex((each) => each.pluginId === pluginId && each.formatId === formatId) === at;
  return new FormatRegistry(builtIn.noun, all.filter(isFirst), builtIn.absent, readers);
}

function codecOf({ pluginId, version, formatId, decoder, levels, generation }: CodecOffer, owner: StageOwner): Codec {
  const own = { pluginId, generation };
  const decode = (stored: Bytes, plainLength: number, isProof: boolean) =>
    owner.call({ ...own, operation: "decode", data: stored.slice(), plainLength, isProof });
  return {
    pluginId,
    version,
    formatId,
    decoder,
    levels,
    encode: (plain, level) => {
      const { minimum, maximum } = levels; // the generation before may have had others
      const near = Math.min(maximum, Math.max(minimum, level));
      return owner.call({ ...own, operation: "encode", data: plain.slice(), level: near });
    },
    decode: (stored, plainLength) => decode(stored, plainLength, false),
    trial: {
      decode: (encoded, plainLength) => decode(encoded, plainLength, true),
      refuse: (why) => owner.refuse({ ...own, why, isReplaced: false }),
      giveWay: (why) => owner.refuse({ ...own, why, isReplaced: true }),
    },
  };
}

function cipherOf(offer: CipherOffer, owner: StageOwner): Cipher {
  const { pluginId, version, formatId, decoder, keyBytes, overheadBytes, generation } = offer;
  const run = (operation: "seal" | "open", key: Bytes, aad: Bytes, data: Bytes) =>
    owner.call({ pluginId, generation, operation, key, aad, data: data.slice() });
  return {
    pluginId,
    version,
    formatId,
    decoder,
    keyBytes,
    overheadBytes: () => overheadBytes,
    seal: (key, aad, plain) => run("seal", key, aad, plain),
    open: (key, aad, sealed) => run("open", key, aad, sealed),
    trial: { refuse: (why) => owner.refuse({ pluginId, generation, why, isReplaced: false }) },
  };
}
