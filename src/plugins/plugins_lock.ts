/**
 * `plugins.lock`: which plugins a person loaded, from whom, and what each was granted.
 *
 * ```text
 * {"version":1,"plugins":[{"plugin_id":…,"version":…,"sha256":hex 32,"key":"RW…" or null,
 *   "grants":[{"name":…,"hosts":[…],"methods":[…],"folders":[…]}],"previous":{"version":…,"sha256":…,"key":…,"grants":…}}]}
 * ```
 */
import { type Bytes, fromUtf8, utf8 } from "../base/bytes.ts";
import type { Capability } from "./capabilities.ts";
import { CAPABILITY_NAMES } from "./capabilities.ts";

/** Its name in the plugin folder. */
export const PLUGINS_LOCK = "plugins.lock";

/** What a capability is worth: without its author's reason. */
export type Grant = Omit<Capability, "reason">;

/** One generation of a plugin. */
export interface LockedVersion {
  readonly version: string;
  /** Of the original bytes, which name the file. */
  readonly sha256: string;
  /** Public key of the trusted signer; null where there is none. */
  readonly key: string | null;
  readonly grants: readonly Grant[];
}

export interface LockedPlugin extends LockedVersion {
  readonly pluginId: string;
  /** What a rollback brings back. */
  readonly previous?: LockedVersion;
}

/** Sorted by id, as lines that a person can read and compare. */
export function encodeLock(plugins: readonly LockedPlugin[]): Bytes {
  const sorted = [...plugins].sort((a, b) => a.pluginId < b.pluginId ? -1 : 1);
  const document = {
    version: 1,
    plugins: sorted.map(({ pluginId, previous, ...version }) => ({
      plugin_id: pluginId,
      ...versionDocument(version),
      ...(previous === undefined ? {} : { previous: versionDocument(previous) }),
    })),
  };
  return utf8(`${JSON.stringify(document, null, 2)}\n`);
}

function versionDocument({ version, sha256, key, grants }: LockedVersion) {
  return { version, sha256, key, grants: grants.map(grantOf) };
}

/** Without its reason, and in one order of keys. */
export function grantOf({ name, hosts, methods, private: isPrivate, folders }: Capability): Grant {
  return {
    name,
    ...(hosts === undefined ? {} : { hosts }),
    ...(methods === undefined ? {} : { methods }),
    ...(isPrivate === undefined ? {} : { private: isPrivate }),
    ...(folders === undefined ? {} : { folders }),
  };
}

/** Throws `RangeError` that names what is wrong: a lock that was half understood could grant what nobody granted. */
export function decodeLock(data: Uint8Array): LockedPlugin[] {
  let value: unknown;
  try {
    value = JSON.parse(fromUtf8(data));
  } catch {
    throw new RangeError("it is not JSON");
  }
  const { version, plugins } = fieldsOf(value, "it", ["version", "plugins"]);
  if (version !== 1) throw new RangeError(`its version is ${JSON.stringify(version)} instead of 1`);
  const seen = new Set<string>();
  return listOf(plugins, "plugins").map((each, at) => {
    const where = `plugins[${at}]`;
    const fields = fieldsOf(each, where, ["plugin_id", ...VERSION_FIELDS], ["previous"]);
    const pluginId = textOf(fields.plugin_id, `${where}.plugin_id`, /^[a-z][a-z0-9_]{2,63}$/);
    if (seen.has(pluginId)) throw new RangeError(`${where}.plugin_id stands there twice`);
    seen.add(pluginId);
    const previous = fields.previous === undefined
      ? {}
      : { previous: versionOf(fieldsOf(fields.previous, `${where}.previous`, VERSION_FIELDS), `${where}.previous`) };
    return { pluginId, ...versionOf(fields, where), ...previous };
  });
}

const VERSION_FIELDS = ["version", "sha256", "key", "grants"];

function versionOf(fields: Record<string, unknown>, where: string): LockedVersion {
  return {
    version: textOf(fields.version, `${where}.version`, /^[0-9][0-9A-Za-z.+-]{0,127}$/),
    sha256: textOf(fields.sha256, `${where}.sha256`, /^[0-9a-f]{64}$/),
    key: fields.key === null ? null : textOf(fields.key, `${where}.key`, /^RW[A-Za-z0-9+/]{54}$/),
    grants: listOf(fields.grants, `${where}.grants`).map((each, at) => readGrant(each, `${where}.grants[${at}]`)),
  };
}

function readGrant(value: unknown, where: string): Grant {
  const lists = ["hosts", "methods", "folders"] as const;
  const fields = fieldsOf(value, where, ["name"], [...lists, "private"]);
  const name = CAPABILITY_NAMES.find((each) => each === fields.name);
  if (name === undefined) throw new RangeError(`${where}.name is no capability: ${JSON.stringify(fields.name)}`);
  const given = lists.filter((key) => fields[key] !== undefined);
  const texts = given.map((
    key,
  ) => [key, listOf(fields[key], `${where}.${key}`).map((each) => textOf(each, `${where}.${key}`, /./))]);
  if (fields.private !== undefined && fields.private !== true) throw new RangeError(`${where}.private is not true`);
  return { name, ...Object.fromEntries(texts), ...(fields.private === true ? { private: true } : {}) };
}

function fieldsOf(value: unknown, where: string, needed: readonly string[], more: readonly string[] = []) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new RangeError(`${where} is no object`);
  }
  const fields = value as Record<string, unknown>;
  const missing = needed.find((key) => !Object.hasOwn(fields, key));
  if (missing !== undefined) throw new RangeError(`${where} has no ${missing}`);
  const unknown = Object.keys(fields).find((key) => !needed.includes(key) && !more.includes(key));
  if (unknown !== undefined) throw new RangeError(`${where} has the unknown key ${unknown}`);
  return fields;
}

function listOf(value: unknown, where: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw new RangeError(`${where} is no list`);
}

function textOf(value: unknown, where: string, form: RegExp): string {
  if (typeof value === "string" && form.test(value)) return value;
  throw new RangeError(`${where} is ${JSON.stringify(value)?.slice(0, 100)}`);
}
