import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { AxiomError } from "../base/errors.ts";

/** Where a repository is. */
export type Location = LocalLocation | PluginLocation;

export interface LocalLocation {
  kind: "local";
  /** Absolute. */
  path: string;
}

/** `<plugin_id>://host/path`, which is https, or `<plugin_id>+http://host/path`. */
export interface PluginLocation {
  kind: "plugin";
  pluginId: string;
  /** Ends in `/`; undefined where only the plugin is named. */
  url: string | undefined;
}

const KNOWN = "a path, file:///path, or <plugin_id>://…";

/** Stores that are written in such a form, but are not part of this version. */
const LATER: Readonly<Record<string, string>> = {
  s3: "s3://bucket/prefix",
  azure: "azure://container/prefix",
  gs: "gs://bucket/prefix",
};

/** As in a plugin's manifest, then what is not https. */
const PLUGIN_ID = /^([a-z][a-z0-9_]{2,63})(\+http)?$/;

/**
 * Reads what a person writes after `--repo`.
 *
 * @param folder What relative paths start from
 */
export function parseLocation(text: string, folder: () => string = Deno.cwd): Location {
  if (text === "") throw refusal(text, "it is empty");
  if (text.includes("\0")) throw refusal(text, "it contains a NUL");
  // A single letter before the colon is a drive of Windows.
  const scheme = /^([A-Za-z][A-Za-z0-9+._-]+):/.exec(text)?.[1].toLowerCase();
  if (scheme === undefined) return { kind: "local", path: resolve(folder(), text) };
  if (!text.startsWith("//", scheme.length + 1)) {
    throw refusal(text, `after "${scheme}:" come two slashes; a folder of that name is written ./${scheme}:…`);
  }
  if (scheme === "file") return { kind: "local", path: pathOfUrl(text) };
  if (LATER[scheme]) throw refusal(text, `${LATER[scheme]} is not built in yet`);
  const [, pluginId, plain] = PLUGIN_ID.exec(scheme) ?? [];
  if (pluginId !== undefined) return { kind: "plugin", pluginId, url: pluginUrl(text, scheme, plain !== undefined) };
  throw refusal(text, `${scheme}:// is no kind of store`);
}

function pathOfUrl(text: string): string {
  if (!URL.canParse(text)) throw refusal(text, "it is not a URL");
  const url = new URL(text);
  if (url.search !== "" || url.hash !== "") throw refusal(text, "it has a ? or #, which are written %3F and %23");
  let path: string;
  try {
    path = fileURLToPath(url);
  } catch (error) {
    throw refusal(text, error instanceof Error ? error.message : "it is not a file URL");
  }
  if (path.includes("\0")) throw refusal(text, "it contains a NUL");
  return resolve(path);
}

function pluginUrl(text: string, scheme: string, isPlain: boolean): string | undefined {
  const rest = text.slice(scheme.length + "://".length);
  if (rest === "") return undefined;
  const url = `${isPlain ? "http" : "https"}://${rest}`;
  if (!URL.canParse(url)) throw refusal(text, "what follows the plugin is no host and path");
  const { username, password, search, hash, href } = new URL(url);
  if (username !== "" || password !== "") {
    throw refusal(text, "a user and a password do not belong there, but into plugins.credentials of the configuration");
  }
  if (search !== "" || hash !== "") throw refusal(text, "it has a ? or #, which are written %3F and %23");
  return href.endsWith("/") ? href : `${href}/`;
}

function refusal(text: string, why: string): AxiomError {
  return new AxiomError("usage", `Cannot use ${JSON.stringify(displayLocation(text))} as a repository: ${why}`, {
    hint: `A repository is ${KNOWN}`,
  });
}

/**
 * A location for messages: without user names, passwords and parameters, rather too little than too much. People do not
 * escape passwords, so the last `@` ends them, wherever it is.
 */
export function displayLocation(text: string): string {
  const parts = /^([A-Za-z][A-Za-z0-9+._-]+:(?:[a-z]+:)?(?:\/\/)?)(.*)$/s.exec(text);
  if (!parts) return text;
  const [, scheme, rest] = parts;
  if (rest.startsWith("/")) return text.replace(/[?#].*$/s, "?***");
  const at = rest.lastIndexOf("@");
  const named = at < 0 ? rest.replace(/^([^/:?#]*):(?!\d+(?:[/?#]|$))[^/]*/, "$1:***") : `***${rest.slice(at)}`;
  return scheme + named.replace(/[?#].*$/s, "?***");
}
