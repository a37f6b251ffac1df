import { isKind } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import { decoderKey } from "../model/object_keys.ts";
import { isPackFault } from "../repository/index_view.ts";
import type { Repository } from "../repository/repository.ts";
import { isWhole, storeDecoder } from "../repository/stored_decoders.ts";
import { NamedDecoders } from "./named_decoders.ts";

export interface RepairedDecoder {
  sha256: string;
  pluginId: string;
  version: string;
  formatId: string;
  packs: number;
  /** `absent` is one that no installed plugin can give back. */
  state: "put_back" | "to_be_put_back" | "absent";
}

export interface RepairDecodersSummary {
  dryRun: boolean;
  packsRead: number;
  packsUnreadable: number;
  /** Modules that packs name. */
  decoders: number;
  /** Those that were missing or damaged. */
  repaired: RepairedDecoder[];
}

/**
 * Puts back what packs name and `codecs/` lacks or has with other bytes, from installed plugins of the same hash. What is
 * damaged is moved to `damaged/`. Safe beside everybody else: a module is put under the name of its bytes, and never taken away.
 */
export async function repairDecoders(
  repository: Repository,
  { dryRun }: { dryRun: boolean },
  { onEvent, signal }: { onEvent: EventSink; signal?: AbortSignal },
): Promise<RepairDecodersSummary> {
  if (!dryRun) repository.require("write");
  const { store, context } = repository;
  const { named, packsRead, packsUnreadable } = await survey(repository, onEvent, signal);
  const repaired: RepairedDecoder[] = [];
  for (const [sha256, { entry: { pluginId, version, formatId }, packs }] of named.all) {
    if (await isWhole(store, sha256, signal)) continue;
    const about = { sha256, pluginId, version, formatId, packs };
    const module = context.decoders?.moduleOf(sha256);
    if (module === undefined) repaired.push({ ...about, state: "absent" });
    else if (dryRun) repaired.push({ ...about, state: "to_be_put_back" });
    else {
      await storeDecoder(store, sha256, module);
      onEvent({ type: "verbose", message: `Put ${decoderKey(sha256)} back` });
      repaired.push({ ...about, state: "put_back" });
    }
  }
  return { dryRun, packsRead, packsUnreadable, decoders: named.all.size, repaired };
}

async function survey(repository: Repository, onEvent: EventSink, signal?: AbortSignal) {
  const named = new NamedDecoders();
  const view = await repository.loadIndex(signal);
  const packs = view.index.packs().filter(({ name }) => view.listed.has(name));
  let packsRead = 0, packsUnreadable = view.damagedPacks.length;
  for (const pack of packs) {
    try {
      named.add(await repository.packs.readTable(pack, signal));
      packsRead++;
    } catch (error) {
      if (!isPackFault(error) && !isKind(error, "object_missing")) throw error;
      packsUnreadable++;
    }
    onEvent({
      type: "progress",
      operation: "read tables",
      filesDone: packsRead,
      filesTotal: packs.length,
      bytesDone: 0,
    });
  }
  return { named, packsRead, packsUnreadable };
}
