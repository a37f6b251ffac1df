/**
 * Requests of a plugin to the hosts that it was granted. Redirects are answers like any other. Credentials of the
 * configuration are added here; the plugin sees neither them nor what a server makes of them in its headers.
 */
import { utf8 } from "../../base/bytes.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Capability } from "../capabilities.ts";
import type { CapabilityService, ServiceAnswer } from "../capability_service.ts";
import { type ClientSettings, HttpClient } from "./http_client.ts";
import { httpRequest } from "./http_request.ts";
import { addressOfHost } from "./public_address.ts";

export interface HttpSettings extends Pick<ClientSettings, "resolve" | "certificates"> {
  /** For a host; undefined where there are none. */
  readonly credentialOf?: (host: string, port: number) => Promise<Credential | undefined>;
}

export interface Credential {
  /** Value of the header `authorization`. */
  readonly header: string;
  /** Texts that must not be seen, the header's value among them. */
  readonly secrets: readonly string[];
}

const WITH_BODY = ["PUT", "POST", "PATCH"];
/** Of one connection; the body comes without its coding. */
const HIDDEN = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

export function httpService(granted: Capability, settings: HttpSettings = {}): CapabilityService {
  const { credentialOf, ...others } = settings;
  const mayBePrivate = (host: string) => granted.private === true || saysSo(granted, host);
  const client = new HttpClient({ ...others, mayBePrivate });
  return {
    bodyBytesMax: LIMITS.pluginHttpBodyBytesMax,
    async answer(asked, body, signal): Promise<ServiceAnswer> {
      const request = httpRequest(asked, granted);
      const credential = await credentialOf?.(request.host, request.port);
      const more = {
        ...(credential === undefined ? {} : { authorization: credential.header }),
        ...(body.length > 0 || WITH_BODY.includes(request.method) ? { "content-length": `${body.length}` } : {}),
      };
      const { status, headers, body: content } = await client.send(request, more, body, signal);
      const shown = Object.entries(headers).filter(([name]) => !HIDDEN.includes(name))
        .map(([name, value]) => [name, withoutSecrets(value, credential?.secrets ?? [])]);
      return { response: utf8(JSON.stringify({ status, headers: Object.fromEntries(shown) })), body: content };
    },
    close: () => client.close(),
  };
}

/** Whoever granted an address, or this very machine, has said that it may be a private one. */
function saysSo({ hosts = [] }: Capability, host: string): boolean {
  return (addressOfHost(host) !== undefined || host === "localhost") && hosts.length > 0;
}

function withoutSecrets(value: string, secrets: readonly string[]): string {
  return secrets.reduce((text, secret) => text.replaceAll(secret, "***"), value);
}
