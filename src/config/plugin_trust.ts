/** Who may sign plugins, and what was revoked. */
import type { Type } from "./option.ts";
import { type } from "./types.ts";

export interface TrustedKey {
  /** Beginning of the ids that the key may sign; empty for all. */
  readonly prefix: string;
  /** Of minisign, `RW…`. */
  readonly key: string;
}

/** A prefix of ids that ends where a word does, or `*`; 42 bytes of base64 of which the first two are "Ed". */
const TRUSTED = /^(\*|[a-z][a-z0-9_]{0,63})\s*=\s*(RW[QRST][A-Za-z0-9+/]{53})$/;

export const trustedKey: Type<TrustedKey> = type(
  "PREFIX=KEY with the beginning of plugin ids, or * for all, and a public key RW… of 56 characters",
  (text) => {
    const match = TRUSTED.exec(text);
    return match === null ? undefined : { prefix: match[1] === "*" ? "" : match[1], key: match[2] };
  },
  {
    json: { type: "string", pattern: TRUSTED.source },
    example: '"compression_=RWQ…"',
  },
);

const PLUGIN_ID = /^[a-z][a-z0-9_]{2,63}$/;

export const pluginId: Type<string> = type(
  "the id of a plugin, such as compression_zstd",
  (text) => PLUGIN_ID.test(text) ? text : undefined,
  { json: { type: "string", pattern: PLUGIN_ID.source }, example: "compression_none" },
);

/** In small letters. */
export const trustedCodec: Type<string> = type(
  "the SHA-256 of a plugin, 64 hexadecimal digits, or a plugin's id",
  (text) => {
    if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
    return /^[a-z][a-z0-9_]{2,63}$/.test(text) ? text : undefined;
  },
  { json: { type: "string", pattern: "^([0-9A-Fa-f]{64}|[a-z][a-z0-9_]{2,63})$" }, example: '"compression_lz4"' },
);

/** An id of a key in upper case, or a SHA-256 in lower case, as messages show them. */
export const revoked: Type<string> = type(
  "the id of a key, 16 hexadecimal digits, or the SHA-256 of a plugin, 64",
  (text) => {
    if (/^[0-9a-f]{16}$/i.test(text)) return text.toUpperCase();
    return /^[0-9a-f]{64}$/i.test(text) ? text.toLowerCase() : undefined;
  },
  { json: { type: "string", pattern: "^([0-9A-Fa-f]{16}|[0-9A-Fa-f]{64})$" } },
);
