import { AxiomError, throwIfAborted } from "../base/errors.ts";
import type { PluginIdentity } from "../plugins/plugin_failure.ts";
import type { StreamProvider, StreamSession } from "../plugins/plugin_streams.ts";
import type { OfferedStream } from "../plugins/wasm_source.ts";
import type { EntryOwner } from "./made_entry.ts";
import type { SavePolicy } from "./save_policy.ts";

export interface StreamFolderOptions {
  readonly provider: StreamProvider;
  readonly owner: EntryOwner;
  readonly policy: SavePolicy;
  /** Read everything, whatever its version. */
  readonly force: boolean;
}

/** What a source plugin has to give. */
export interface OfferedStreams {
  readonly options: StreamFolderOptions;
  /** To be ended by whoever asked. */
  readonly session: StreamSession;
  /** The generation that listed them. */
  readonly lister: PluginIdentity;
  readonly streams: ReadonlyMap<string, OfferedStream>;
}

/** Asks what there is; an `AxiomError` says why nobody knows. Throws what is not the plugin's failure. */
export async function offeredStreams(
  options: StreamFolderOptions,
  signal: AbortSignal | undefined,
): Promise<OfferedStreams | AxiomError> {
  let session: StreamSession | undefined;
  try {
    session = options.provider.begin();
    const { plugin, streams } = await session.list(signal);
    return { options, session, lister: plugin, streams: new Map(streams.map((each) => [each.name, each])) };
  } catch (error) {
    session?.end();
    throwIfAborted(signal);
    if (error instanceof AxiomError) return error;
    throw error;
  }
}
