/** An author's loop: each change is built, tried, and put into service while it passes; in the end all is as it was before. */
import { basename, dirname, join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { AxiomError, isKind, reportError } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import { LIMITS } from "../base/limits.ts";
import { displayName } from "../base/names.ts";
import { runCommand } from "../platform/run_command.ts";
import { admit, type AdmittedPlugin } from "../plugins/admission.ts";
import { type ConformanceFinding, testPlugin } from "../plugins/conformance.ts";
import { DevSession, type Restored } from "../plugins/dev_session.ts";
import { changedSource, namedSources, type Sources, sourcesBelow } from "../plugins/dev_sources.ts";
import { FolderWatch } from "../plugins/folder_watch.ts";
import { packPlugin } from "../plugins/pack.ts";
import { readManifestFile, readModuleFile, readPluginFile, SIDE_CAR } from "../plugins/plugin_file.ts";
import { nameOfPlugin } from "../plugins/plugin_failure.ts";
import { type PluginFolder, sha256Of } from "../plugins/plugin_folder.ts";
import type { Trust } from "../plugins/trust.ts";
import { readWasm } from "../plugins/wasm_module.ts";
import { WasmFault } from "../plugins/wasm_reader.ts";

export interface DevelopRequest {
  /** The module, with or without a manifest; absolute. */
  readonly file: string;
  /** Absolute; otherwise the module's own, or `plugin.yaml` beside it. */
  readonly manifest: string | undefined;
  /** Makes the module; empty where somebody else does. */
  readonly command: readonly string[];
}

export interface DevelopContext {
  /** Where the command runs. */
  readonly workFolder: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onEvent: EventSink;
}

export interface WatchContext extends DevelopContext {
  readonly plugins: PluginFolder;
  readonly trust: Trust;
  /** Has running processes take what is installed now; a line for each of them. */
  announce(pluginId: string): Promise<string[]>;
}

export interface DevelopSummary {
  /** How often something was tried. */
  readonly tries: number;
  /** How often what was tried was put into service. */
  readonly swaps: number;
  /** Undefined where nothing was put into service. */
  readonly restored: Restored | undefined;
}

/** Builds and tries a plugin once, by every rule. Throws `plugin_refused`, and `source_failed` where it cannot be built. */
export async function tryBuild(
  request: DevelopRequest,
  context: DevelopContext,
): Promise<{ plugin: AdmittedPlugin; findings: ConformanceFinding[] }> {
  await build(request, undefined, context);
  const { name, data } = await readBuilt(request);
  const plugin = admit(data, { name });
  return { plugin, findings: await testPlugin(plugin, context) };
}

/** Tries and swaps with each change until the signal is aborted; what is wrong with a change is an event. */
export async function watchPlugin(request: DevelopRequest, context: WatchContext): Promise<DevelopSummary> {
  const loop = new DevelopLoop(request, context);
  const watch = new FolderWatch(loop.sourceFolder, context.clock, { recursive: request.command.length > 0 });
  const end = () => watch.close();
  context.signal.addEventListener("abort", end, { once: true });
  if (context.signal.aborted) end();
  try {
    while (await watch.next(await loop.look()));
  } finally {
    context.signal.removeEventListener("abort", end);
    watch.close();
    await loop.end();
  }
  return loop.summary;
}

class DevelopLoop {
  readonly sourceFolder: string;
  readonly #session: DevSession;
  /** As they were looked at last, as long as they have been, and as they were tried. */
  #seen: Sources | undefined;
  #sinceMs = -Infinity;
  #tried: Sources = new Map();
  #isTried = false;
  #waitsFor: Sources | undefined;
  #last: string | undefined;
  #tries = 0;
  #swaps = 0;
  #serving = "";
  #restored: Restored | undefined;

  constructor(readonly request: DevelopRequest, readonly context: WatchContext) {
    this.sourceFolder = dirname(request.manifest ?? request.file);
    this.#session = new DevSession(context.plugins, context.trust, context.clock);
  }

  get summary(): DevelopSummary {
    return { tries: this.#tries, swaps: this.#swaps, restored: this.#restored };
  }

  /** Does what there is to do, and returns the milliseconds after which to look again. */
  async look(): Promise<number> {
    const { clock } = this.context;
    const now = await this.#sources(), seen = this.#seen;
    if (seen !== undefined && changedSource(seen, now) !== undefined) this.#sinceMs = clock.monotonicMs();
    this.#seen = now;
    if (this.#isTried && changedSource(this.#tried, now) === undefined) return LIMITS.pluginPollMs;
    const ageMs = clock.monotonicMs() - this.#sinceMs;
    if (ageMs < LIMITS.pluginSettleMs) return LIMITS.pluginSettleMs - ageMs;
    const reason = this.#isTried ? changedSource(this.#tried, now) : undefined;
    if (await this.#isHalf(now, ageMs)) return LIMITS.pluginSettleMs;
    this.#isTried = true;
    this.#tried = now;
    await this.#try(reason);
    return 0; // what changed meanwhile may have to settle
  }

  #sources(): Promise<Sources> {
    const { file, manifest, command } = this.request;
    if (command.length > 0) return sourcesBelow(this.sourceFolder, file);
    return namedSources([file, manifest ?? join(this.sourceFolder, SIDE_CAR)]);
  }

  /** What no command of ours builds may be in the middle of being written. */
  async #isHalf(now: Sources, ageMs: number): Promise<boolean> {
    if (this.request.command.length > 0 || ageMs >= LIMITS.pluginPauseMs) return false;
    try {
      readWasm((await readModuleFile(this.request.file)).data);
      return false;
    } catch (error) {
      if (!(error instanceof WasmFault) && !isKind(error, "path_missing")) throw error;
      if (this.#waitsFor === undefined || changedSource(this.#waitsFor, now) !== undefined) {
        const message = `${displayName(basename(this.request.file))} is not whole yet; waiting for the rest`;
        this.context.onEvent({ type: "notice", code: "plugin_waits", message });
      }
      this.#waitsFor = now;
      return true;
    }
  }

  async #try(reason: string | undefined): Promise<void> {
    try {
      await this.#tryOnce(reason);
    } catch (error) {
      if (!(error instanceof AxiomError)) throw error;
      if (error.kind === "interrupted") return;
      this.context.onEvent({ type: "error", error: reportError(error) });
    }
  }

  async #tryOnce(reason: string | undefined): Promise<void> {
    const { clock, signal, onEvent } = this.context;
    await build(this.request, reason, this.context);
    const { name, data: bytes } = await readBuilt(this.request);
    const sha256 = sha256Of(bytes);
    if (sha256 === this.#last) return;
    this.#last = sha256;
    this.#tries++;
    const plugin = admit(bytes, { name });
    const findings = await testPlugin(plugin, { clock, signal, isQuick: true });
    demandSound(plugin, findings, this.#serving);
    const { manifest: { pluginId, version }, missing } = await this.#session.put({
      name,
      bytes,
      sha256,
      signature: undefined,
    });
    this.#swaps++;
    this.#serving = `; ${version} of ${sha256.slice(0, 12)} goes on`;
    const passed = `${nameOfPlugin({ pluginId, version, sha256 })} keeps ${findings.length} rules`;
    const names = missing.map(({ name }) => name).join(", ");
    const state = missing.length === 0
      ? "and is in service"
      : `and waits for a grant of ${names}: axiom plugin grant --all ${pluginId}`;
    const message = [`${passed} ${state}`, ...await this.context.announce(pluginId)].join("\n");
    onEvent({ type: "notice", code: missing.length === 0 ? "plugin_swapped" : "plugin_held", message });
  }

  async end(): Promise<void> {
    this.#restored = await this.#session.restore();
    if (this.#restored !== undefined) await this.context.announce(this.#restored.pluginId);
  }
}

async function build(
  { command, file }: DevelopRequest,
  reason: string | undefined,
  context: DevelopContext,
): Promise<void> {
  if (command.length === 0) return;
  const { workFolder: folder, signal, onEvent } = context;
  const why = reason === undefined ? "" : `, since ${displayName(basename(reason))} changed`;
  onEvent({ type: "notice", code: "plugin_builds", message: `Building ${displayName(basename(file))}${why}` });
  const text = await runCommand(command, { folder, signal, charactersMax: LIMITS.pluginBuildTextMax });
  if (text.trim() !== "") onEvent({ type: "verbose", message: text.trimEnd() });
}

async function readBuilt({ file, manifest }: DevelopRequest) {
  if (manifest === undefined) return await readPluginFile(file);
  const module = await readModuleFile(file);
  return { name: module.name, data: packPlugin(module, await readManifestFile(manifest)).bytes };
}

function demandSound(
  { manifest: { pluginId, version }, sha256 }: AdmittedPlugin,
  findings: readonly ConformanceFinding[],
  serving: string,
): void {
  const broken = findings.filter(({ state }) => state === "failed");
  if (broken.length === 0) return;
  const lines = broken.map(({ name, message }) => `“${name}”: ${message}`);
  const what = `Cannot use ${
    nameOfPlugin({ pluginId, version, sha256 })
  }: it breaks ${broken.length} of its rules${serving}`;
  throw new AxiomError("plugin_failed", [what, ...lines].join("\n"));
}
