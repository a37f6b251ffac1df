import { fromUtf8, utf8 } from "../../base/bytes.ts";
import { LIMITS } from "../../base/limits.ts";
import type { PluginCredential } from "../../config/plugin_settings.ts";
import { readBounded } from "../../platform/read_bounded.ts";
import { ServiceRefusal } from "../capability_service.ts";
import type { Credential } from "./http_service.ts";

/** Shorter texts would be found everywhere. */
const SECRET_LETTERS_MIN = 4;

/** What the configuration has for a plugin and a host. The file is read at each request, so that it can be changed. */
export async function credentialFor(
  given: readonly PluginCredential[],
  pluginId: string,
  host: string,
  port: number,
): Promise<Credential | undefined> {
  const found = given.find((each) => each.pluginId === pluginId && each.host === host && each.port === port);
  if (found === undefined) return undefined;
  const data = await readBounded(found.file, LIMITS.passwordFileBytesMax).catch(() => undefined);
  if (data === undefined) throw new ServiceRefusal("auth", `the file with the credentials for ${host} cannot be read`);
  return credentialOf(fromUtf8(data).split(/\r?\n/)[0]);
}

/** `user:password`, or a scheme and what belongs to it. */
export function credentialOf(line: string): Credential {
  const [, user, password] = /^([^: ]*):(.*)$/.exec(line) ?? [];
  const encoded = user === undefined ? line.slice(line.indexOf(" ") + 1) : base64(line);
  const header = user === undefined ? line : `Basic ${encoded}`;
  const secrets = [header, line, encoded, ...(password === undefined ? [] : [password, encodeURIComponent(password)])];
  return { header, secrets: secrets.filter(({ length }) => length >= SECRET_LETTERS_MIN) };
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...utf8(text)));
}
