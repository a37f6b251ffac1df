/**
 * The outer form of the two objects that are read before any key is known: configs and key slots.
 *
 * ```text
 * stored    canonical JSON | LF | check: 64 lower-case hexadecimal digits | LF
 * covered   length of the object key u32, little-endian | object key, UTF-8 | canonical JSON
 * ```
 *
 * `check` is a MAC or hash of `covered`; which one is up to the object. Binding the object key means that a copy under
 * another name is refused. Later format versions keep this form and the member that names the version.
 */
import { type Bytes, concat, fromHex, toHex, utf8, viewOf } from "../base/bytes.ts";
import { decodeJson, encodeJson, type Json } from "../base/canonical_json.ts";
import { AxiomError } from "../base/errors.ts";
import { isDocument } from "./fields.ts";

const CHECK_BYTES = 32;
const TAIL_BYTES = 2 * CHECK_BYTES + 2;
const LINE_FEED = 0x0a;

export interface TextObject {
  document: Record<string, unknown>;
  /** The exact bytes of the first line. */
  json: Bytes;
  check: Bytes;
}

export function coveredBytes(objectKey: string, json: Uint8Array): Bytes {
  const key = utf8(objectKey);
  const length = new Uint8Array(4);
  viewOf(length).setUint32(0, key.length, true);
  return concat([length, key, json]);
}

export function encodeTextObject(json: Uint8Array, check: Uint8Array): Bytes {
  return concat([json, utf8(`\n${toHex(check)}\n`)]);
}

/**
 * Strict inverse of {@linkcode encodeTextObject}, except for `check`, which is only taken apart. Throws `data_damaged`, or
 * `repository_unsupported` where `versionOf` finds a version above 1.
 *
 * @param what For messages, such as `the config config/0000000001`
 */
export function decodeTextObject(
  stored: Uint8Array,
  bytesMax: number,
  what: string,
  versionOf: (document: Record<string, unknown>) => unknown,
): TextObject {
  const refuse = (why: string) => new AxiomError("data_damaged", `Cannot read ${what}: ${why}`);
  if (stored.length > bytesMax) throw refuse(`${stored.length} bytes are more than it can have (${bytesMax})`);
  if (stored.length < TAIL_BYTES + 2) throw refuse(`it is torn, only ${stored.length} bytes are left`);
  const jsonBytes = stored.length - TAIL_BYTES;
  const json = stored.slice(0, jsonBytes);
  const tail = String.fromCharCode(...stored.subarray(jsonBytes));
  const check = /^\n([0-9a-f]{64})\n$/.exec(tail)?.[1];
  if (check === undefined || json.includes(LINE_FEED)) throw refuse("it is not a line of JSON and a line of digits");
  const document = parse(json, refuse);
  const version = versionOf(document);
  if (Number.isSafeInteger(version) && (version as number) > 1) {
    throw new AxiomError(
      "repository_unsupported",
      `Cannot read ${what}: version ${version} is newer than this program`,
      {
        hint: "Update axiom to a version that knows this format",
      },
    );
  }
  if (version !== 1) throw refuse(`version ${JSON.stringify(version)} is unknown`);
  requireCanonical(document, json, refuse);
  return { document, json, check: fromHex(check) };
}

type Refuse = (why: string) => AxiomError;

function parse(json: Bytes, refuse: Refuse): Record<string, unknown> {
  let document: unknown;
  try {
    document = decodeJson(json);
  } catch {
    throw refuse("it is not JSON");
  }
  if (!isDocument(document)) throw refuse("it is no object");
  return document;
}

/** One text per value: a member that stands twice or a number in another form would be read differently elsewhere. */
function requireCanonical(document: Record<string, unknown>, json: Bytes, refuse: Refuse): void {
  let again: Bytes;
  try {
    again = encodeJson(document as Json);
  } catch {
    throw refuse("it has numbers that are not safe integers, or is nested too deeply");
  }
  if (again.length !== json.length || again.some((byte, i) => byte !== json[i])) {
    throw refuse("its JSON is not in canonical form");
  }
}
