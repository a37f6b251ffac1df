import type { Clock } from "../base/clock.ts";
import { AxiomError } from "../base/errors.ts";
import { type EventSink } from "../base/events.ts";
import { LIMITS } from "../base/limits.ts";
import type { PluginOption } from "../config/plugin_settings.ts";
import type { DictionaryEntry } from "../model/pack_table.ts";
import type { DecoderHost, DecoderModule } from "../stages/decoder_host.ts";
import { admit, type AdmittedPlugin } from "./admission.ts";
import { givenOptions } from "./plugin_configuration.ts";
import { nameOfPlugin, type PluginIdentity } from "./plugin_failure.ts";
import type { PluginHost } from "./plugin_host.ts";
import { type SourceSettings, wasmSource } from "./plugin_source.ts";
import { judge, type Trust } from "./trust.ts";

export interface DecoderSettings {
  readonly trust: Trust;
  /** SHA-256 of modules, and ids of plugins, whose copies in a repository may run. */
  readonly trusted: readonly string[];
  /** Asks a person a question that yes or no answers; undefined where nobody can be asked. */
  readonly ask?: (question: string) => boolean;
  readonly options: readonly PluginOption[];
  readonly clock: Clock;
  readonly instancesMax: number;
  readonly onEvent: EventSink;
  readonly onNotes: SourceSettings["onNotes"];
}

/** Modules that repositories store: those of this machine for writing, and theirs for reading where none is installed. */
export class Decoders implements DecoderHost {
  readonly #provided = new Map<string, Promise<void>>();
  /** One after another: a person is asked one question at a time, and the first answer may make the next one needless. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(readonly host: Pick<PluginHost, "registry" | "stages">, readonly settings: DecoderSettings) {}

  moduleOf(sha256: string): DecoderModule | undefined {
    return this.host.registry.moduleOf(sha256);
  }

  provide(entry: DictionaryEntry, load: () => Promise<DecoderModule | undefined>): Promise<void> {
    const key = `${entry.role} ${entry.formatId} ${entry.decoder}`;
    const known = this.#provided.get(key);
    if (known !== undefined) return known;
    const provided = this.#tail.then(() => this.#provide(entry, load));
    this.#tail = provided.catch(() => {});
    this.#provided.set(key, provided);
    provided.catch((error) => {
      const isVerdict = error instanceof AxiomError && error.kind.startsWith("plugin_");
      if (!isVerdict) this.#provided.delete(key); // such as a store that may answer the next time
    });
    return provided;
  }

  async #provide(entry: DictionaryEntry, load: () => Promise<DecoderModule | undefined>): Promise<void> {
    const { codecs, ciphers } = this.host.stages.stages;
    if ((entry.role === "codec" ? codecs : ciphers).reads(entry.formatId)) return;
    const file = await load();
    if (file === undefined) throw missing(entry);
    const admitted = admit(file.bytes, { name: "from the repository" });
    demandRole(entry, admitted);
    await this.#demandTrust(entry, admitted, file);
    const { clock, instancesMax, onEvent, onNotes, options } = this.settings;
    const configuration = givenOptions(admitted.manifest, options);
    this.host.stages.addReader(wasmSource(admitted, { granted: [], configuration, instancesMax, clock, onNotes }));
    const message = `Reading ${entry.formatId} with ${nameOf(admitted)}, which the repository brought along`;
    onEvent({ type: "notice", code: "decoder", message });
  }

  /**
   * Whoever can write to the store can put any signature beside a module, or take it away: one that is wrong counts as none,
   * and what was revoked never runs.
   */
  async #demandTrust(entry: DictionaryEntry, admitted: AdmittedPlugin, file: DecoderModule): Promise<void> {
    const { trust, trusted, ask } = this.settings;
    const plugin = identityOf(admitted);
    const signature = (file.signature?.length ?? 0) > LIMITS.signatureFileBytesMax ? undefined : file.signature;
    const { signer } = await judge({ ...plugin, bytes: file.bytes, signature }, { ...trust, policy: "off" });
    if (signer !== undefined || trusted.includes(plugin.sha256) || trusted.includes(plugin.pluginId)) return;
    const what = `${nameOfPlugin(plugin)}, which wrote it, is not installed`;
    const question = `The ${entry.role} ${what}. The repository has its decoder, SHA-256 ${plugin.sha256},\n` +
      "signed with no key that is trusted here. It can do nothing but decode. Run it? [y/N] ";
    if (ask?.(question)) return;
    throw new AxiomError(
      "plugin_refused",
      `Cannot read the ${entry.role} format ${entry.formatId}: ${what}, and its copy in the repository is not trusted`,
      {
        hint: `Load the plugin with \`axiom plugin load\`, or run the same command with --trust-codec ${plugin.sha256}`,
      },
    );
  }
}

function demandRole({ role, formatId }: DictionaryEntry, admitted: AdmittedPlugin): void {
  const { category, formatId: own, readsFormats } = admitted.manifest;
  const isRight = category === (role === "codec" ? "compression" : "encryption");
  if (isRight && (own === formatId || readsFormats.includes(formatId))) return;
  const why = isRight ? "it does not read this format" : `it is of the category ${category}`;
  throw new AxiomError(
    "plugin_refused",
    `Cannot read the ${role} format ${formatId} with ${nameOf(admitted)}: ${why}`,
    {
      hint: "Load a plugin that reads it with `axiom plugin load`",
    },
  );
}

function missing({ role, formatId, pluginId, version, decoder }: DictionaryEntry): AxiomError {
  const who = nameOfPlugin({ pluginId, version, sha256: decoder });
  return new AxiomError(
    "plugin_missing",
    `Cannot read the ${role} format ${formatId}: ${who}, which wrote it, is neither installed nor in the repository`,
    { hint: `Load the plugin ${pluginId} with \`axiom plugin load\`` },
  );
}

function identityOf({ manifest: { pluginId, version }, sha256 }: AdmittedPlugin): PluginIdentity {
  return { pluginId, version, sha256 };
}

function nameOf(admitted: AdmittedPlugin): string {
  return nameOfPlugin(identityOf(admitted));
}
