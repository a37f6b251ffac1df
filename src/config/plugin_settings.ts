/** What a person tells plugins: options, and the host's credentials that they use without seeing them. */
import type { Type } from "./option.ts";
import { type } from "./types.ts";

export interface PluginOption {
  readonly pluginId: string;
  readonly key: string;
  /** As it was written; the plugin's schema says what it is. */
  readonly value: string;
}

export interface PluginCredential {
  readonly pluginId: string;
  /** In small letters. */
  readonly host: string;
  readonly port: number;
  /** Its first line is `user:password` or a value of the header `authorization`, such as `Bearer …`. */
  readonly file: string;
}

const OUTCOMES = ["success", "warning", "failure"] as const;
export type Outcome = typeof OUTCOMES[number];

/** A plugin that is told how something ended. */
export interface NotifierChoice {
  /** Its id, or what follows `notification_` in it. */
  readonly plugin: string;
  /** Of which ends it is told. */
  readonly outcomes: readonly Outcome[];
}

const NOTIFIER = /^([a-z][a-z0-9_]{0,63})(?:=((?:success|warning|failure)(?:,(?:success|warning|failure))*))?$/;
const OPTION = /^([a-z][a-z0-9_]{2,63})\.([A-Za-z_][A-Za-z0-9_]{0,63})=(.*)$/s;
const CREDENTIAL = /^([a-z][a-z0-9_]{2,63})@([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::([0-9]{1,5}))?=(.+)$/s;

export const notifier: Type<NotifierChoice> = type(
  "PLUGIN, or PLUGIN=OUTCOME,… with success, warning and failure",
  (text) => {
    const [, plugin, outcomes] = NOTIFIER.exec(text) ?? [];
    if (plugin === undefined) return undefined;
    return {
      plugin,
      outcomes: OUTCOMES.filter((each) => outcomes === undefined || outcomes.split(",").includes(each)),
    };
  },
  { json: { type: "string", pattern: NOTIFIER.source }, example: '"webhook=warning,failure"' },
);

export const pluginOption: Type<PluginOption> = type(
  "PLUGIN.KEY=VALUE with an option that `axiom plugin info` shows",
  (text) => {
    const match = OPTION.exec(text);
    return match === null ? undefined : { pluginId: match[1], key: match[2], value: match[3] };
  },
  { json: { type: "string", pattern: OPTION.source }, example: '"storage_webdav.timeout_ms=5000"' },
);

export const pluginCredential: Type<PluginCredential> = type(
  "PLUGIN@HOST:PORT=FILE, where the file's first line is user:password, or a header such as Bearer TOKEN",
  (text) => {
    const [, pluginId, host, port = "443", file] = CREDENTIAL.exec(text) ?? [];
    return pluginId === undefined ? undefined : { pluginId, host: host.toLowerCase(), port: Number(port), file };
  },
  { json: { type: "string", pattern: CREDENTIAL.source }, example: '"storage_webdav@dav.example:8443=/etc/axiom/dav"' },
);
