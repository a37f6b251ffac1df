/** The values of `--compression` and `--encryption`, and of the same options in the configuration. */
import { AxiomError } from "../base/errors.ts";
import { BUILT_IN, type Cipher, type Codec } from "./codec.ts";
import { type FormatRegistry, hintOfNames } from "./registry.ts";

export interface CompressionChoice {
  codec: Codec;
  level: number;
}

const CODEC_PREFIX = "compression_";
const AUTO = "auto";
/** What `auto` stands for. */
export const AUTO_CODEC = "compression_zstd";
const OTHERS = "others are plugins, which `axiom plugin load` installs";

function codecNamed(name: string, codecs: FormatRegistry<Codec>): Codec | undefined {
  if (name === AUTO) return codecs.get(AUTO_CODEC);
  return codecs.all.find(({ pluginId }) => pluginId === name || pluginId === CODEC_PREFIX + name);
}

/** `zstd`, `zstd:19`, `none`, `auto` (zstd at its default level) or any codec's plugin id; throws `usage`. */
export function parseCompression(text: string, codecs: FormatRegistry<Codec>): CompressionChoice {
  const colon = text.indexOf(":");
  const name = colon < 0 ? text : text.slice(0, colon);
  const codec = codecNamed(name, codecs);
  if (codec === undefined) {
    for (const id of [name, CODEC_PREFIX + name]) codecs.throwIfAbsent(id);
    const known = [AUTO, ...codecs.all.map(({ pluginId }) => pluginId.replace(CODEC_PREFIX, ""))];
    throw new AxiomError("usage", `Cannot compress with "${text}": there is no codec "${name}"`, {
      hint: `${hintOfNames(name, known)}; ${OTHERS}`,
    });
  }
  if (!codecs.isUsable(codec)) codecs.throwIfAbsent(codec.pluginId);
  const { minimum, maximum, default: level } = codec.levels;
  if (colon < 0) return { codec, level };
  const levelText = text.slice(colon + 1);
  if (name === AUTO || minimum === maximum) {
    throw new AxiomError("usage", `Cannot compress with "${text}": ${name} has no levels`, {
      hint: `Write --compression ${name}`,
    });
  }
  const wanted = /^[0-9]{1,9}$/.test(levelText) ? Number(levelText) : NaN;
  if (!(wanted >= minimum && wanted <= maximum)) {
    throw new AxiomError("usage", `Cannot compress with "${text}": "${levelText}" is not a level of ${name}`, {
      hint:
        `Levels of ${name} are ${minimum} (fastest) to ${maximum} (smallest), such as --compression ${name}:${level}`,
    });
  }
  return { codec, level: wanted };
}

const CIPHER_FORMATS: Readonly<Record<string, string>> = {
  "aes-256-gcm": "aes-256-gcm-1",
  "aes-256-cbc": "aes-256-cbc-hmac-sha256-1",
  "aes-256-ctr": "aes-256-ctr-hmac-sha256-1",
};

const CIPHER_PREFIX = "encryption_";

/**
 * `aes-256-gcm`, `aes-256-cbc`, `aes-256-ctr`, their last three letters, or a plugin's id; throws `usage`, also for no encryption
 * at all.
 */
export function parseEncryption(text: string, ciphers: FormatRegistry<Cipher>): Cipher {
  const fixed = Object.keys(CIPHER_FORMATS);
  const name = fixed.find((full) => full === text || full.slice(-3) === text);
  if (name === undefined) {
    const plugins = ciphers.all.filter(({ decoder }) => decoder !== BUILT_IN);
    const plugin = plugins.find(({ pluginId }) => pluginId === text || pluginId === CIPHER_PREFIX + text);
    if (plugin !== undefined) return plugin;
    for (const id of [text, CIPHER_PREFIX + text]) ciphers.throwIfAbsent(id);
    const known = [...fixed, ...plugins.map(({ pluginId }) => pluginId)];
    throw new AxiomError("usage", `Cannot encrypt with "${text}": there is no such cipher`, {
      hint: `${hintOfNames(text, known)}; ${OTHERS}`,
    });
  }
  const cipher = ciphers.forFormat(CIPHER_FORMATS[name]);
  if (!ciphers.isUsable(cipher)) ciphers.throwIfAbsent(cipher.pluginId);
  return cipher;
}
