import { AxiomError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { BUILT_IN, type Cipher, type Codec, type FormatOrigin } from "./codec.ts";
import { noneCodec, zstdCodec } from "./compress.ts";
import { aesCbcCipher, aesCtrCipher, aesGcmCipher, plainMacCipher } from "./seal.ts";

/** Sentences for a hint: what was probably meant, and all there is. */
export function hintOfNames(wanted: string, known: readonly string[]): string {
  const meant = nearest(wanted, known);
  return `${meant === undefined ? "" : `Did you mean ${meant}? `}Known are ${known.join(", ")}`;
}

/** Built-in things and plugins of one kind by plugin id. Never changes: a hot swap is a new registry. */
export class Registry<T extends { readonly pluginId: string }> {
  readonly all: readonly T[];

  /** @param noun What a member is called in messages */
  constructor(readonly noun: string, members: Iterable<T>) {
    this.all = [...members];
    for (const [i, member] of this.all.entries()) {
      if (this.all.findIndex((other) => this.isSame(other, member)) !== i) {
        throw new RangeError(`Registered twice: the ${noun} ${member.pluginId}`);
      }
    }
  }

  /** Whether one takes the place of the other. */
  protected isSame(a: T, b: T): boolean {
    return a.pluginId === b.pluginId;
  }

  protected membersWith(member: T): T[] {
    const at = this.all.findIndex((other) => this.isSame(other, member));
    return at < 0 ? [...this.all, member] : this.all.with(at, member);
  }

  with(member: T): Registry<T> {
    return new Registry(this.noun, this.membersWith(member));
  }

  has(pluginId: string): boolean {
    return this.all.some((member) => member.pluginId === pluginId);
  }

  /** Throws `usage` for an id that is not registered. */
  get(pluginId: string): T {
    const found = this.all.find((member) => member.pluginId === pluginId);
    if (found !== undefined) return found;
    const known = [...new Set(this.all.map((member) => member.pluginId))];
    throw new AxiomError("usage", `Cannot use the ${this.noun} ${pluginId}: there is none of this name`, {
      hint: hintOfNames(pluginId, known),
    });
  }
}

/** Codecs or ciphers, which are also found by what they write; one plugin may write several formats. */
export class FormatRegistry<T extends FormatOrigin> extends Registry<T> {
  /**
   * @param absent Why a plugin that is installed cannot be used, by its id
   * @param readers Read further formats, and write nothing
   */
  constructor(
    noun: string,
    members: Iterable<T>,
    readonly absent: ReadonlyMap<string, AxiomError> = new Map(),
    readonly readers: readonly T[] = [],
  ) {
    super(noun, members);
  }

  override get(pluginId: string): T {
    if (!this.has(pluginId)) this.throwIfAbsent(pluginId);
    return super.get(pluginId);
  }

  /** For writing; what is built in reads for ever. */
  isUsable({ pluginId, decoder }: FormatOrigin): boolean {
    return decoder !== BUILT_IN || !this.absent.has(pluginId);
  }

  throwIfAbsent(pluginId: string): void {
    const why = this.absent.get(pluginId);
    if (why !== undefined) throw why;
  }

  protected override isSame(a: T, b: T): boolean {
    return a.pluginId === b.pluginId && a.formatId === b.formatId;
  }

  override with(member: T): FormatRegistry<T> {
    return new FormatRegistry(this.noun, this.membersWith(member), this.absent, this.readers);
  }

  reads(formatId: string): boolean {
    return [...this.all, ...this.readers].some((member) => member.formatId === formatId);
  }

  /**
   * The first that was registered for the format, so a built-in one before any plugin.
   * Throws `repository_unsupported` if nothing here can read it.
   *
   * @param writer Plugin id of who wrote it, for the message
   */
  forFormat(formatId: string, writer?: string): T {
    const found = [...this.all, ...this.readers].find((member) => member.formatId === formatId);
    if (found !== undefined) return found;
    if (writer !== undefined) this.throwIfAbsent(writer);
    const who = writer === undefined ? "" : `, written by ${writer},`;
    throw new AxiomError(
      "repository_unsupported",
      `Cannot read the ${this.noun} format ${formatId}: what is stored${who} needs a plugin that is not loaded`,
      {
        hint: writer === undefined
          ? "Load a plugin that reads it, or update axiom"
          : `Load the plugin ${writer}, or update axiom`,
      },
    );
  }
}

/** Frames with this cipher are not encrypted. Their key is derived in a way of its own. */
export const plainMacCipherFormat = "plain-hmac-sha256-1";
const TABLE_CIPHER_FORMAT = "aes-256-gcm-1";

/** Stages that stay as they are until they are released. */
export interface StageUse {
  readonly registry: StageRegistry;
  release(): void;
}

/** Where stages may be replaced while frames are made: each frame is made with those of one moment. */
export interface Stages {
  use(): StageUse;
}

/** What the data path encodes and seals with. */
export class StageRegistry implements Stages {
  constructor(public codecs: FormatRegistry<Codec>, public ciphers: FormatRegistry<Cipher>) {}

  /** Takes over what another one holds. */
  become({ codecs, ciphers }: StageRegistry): void {
    this.codecs = codecs;
    this.ciphers = ciphers;
  }

  use(): StageUse {
    return { registry: new StageRegistry(this.codecs, this.ciphers), release: () => {} };
  }

  /** For writing; throws `usage`. */
  codec(pluginId: string): Codec {
    return this.codecs.get(pluginId);
  }

  /** For reading; throws `repository_unsupported`. */
  codecForFormat(formatId: string, writer?: string): Codec {
    return this.codecs.forFormat(formatId, writer);
  }

  /** Throws `repository_unsupported`. */
  cipherForFormat(formatId: string, writer?: string): Cipher {
    return this.ciphers.forFormat(formatId, writer);
  }

  /** Seals the tables of packs, whatever cipher their frames have. */
  get tableCipher(): Cipher {
    return this.ciphers.forFormat(TABLE_CIPHER_FORMAT);
  }
}

/** @param absent Why a plugin that is installed cannot be used, by its id */
export function builtInStages(absent?: ReadonlyMap<string, AxiomError>): StageRegistry {
  const ciphers = [aesGcmCipher(), aesCbcCipher(), aesCtrCipher(), plainMacCipher()];
  return new StageRegistry(
    new FormatRegistry<Codec>("codec", [zstdCodec(), noneCodec()], absent),
    new FormatRegistry<Cipher>("cipher", ciphers, absent),
  );
}

const BUILT_IN_FORMATS =
  (({ codecs, ciphers }: StageRegistry) => new Set([...codecs.all, ...ciphers.all].map(({ formatId }) => formatId)))(
    builtInStages(),
  );

/** Whether every client reads it, whatever it has installed. */
export function isBuiltInFormat(formatId: string): boolean {
  return BUILT_IN_FORMATS.has(formatId);
}
