import { fromHex } from "../base/bytes.ts";
import { type AxiomError, reportError, throwIfAborted } from "../base/errors.ts";
import { ChunkKind } from "../model/chunk.ts";
import type { PackRecord } from "../model/index_object.ts";
import type { IndexView } from "../repository/index_view.ts";
import type { Repository } from "../repository/repository.ts";
import type { StoredSnapshot } from "../repository/snapshots.ts";
import { isDamage } from "./damage.ts";
import type { ReadContext } from "./list_snapshots.ts";
import { ReachableChunks } from "./reachable_chunks.ts";

export interface ChunkSum {
  chunks: number;
  plainBytes: number;
  /** Of a frame of several chunks each has the share that it has of the plain bytes. */
  storedBytes: number;
}

export interface RawData {
  /** Content of files. */
  files: ChunkSum;
  /** Folders, and lists of what large files consist of. */
  trees: ChunkSum;
  /** Chunks that no pack holds. */
  missing: number;
  /** All packs of the repository, also what no snapshot needs. */
  packCount: number;
  packBytes: number;
}

/** Plain bytes that are needed of each frame, by its number. */
type FrameUses = Map<number, number>;

/** What the repository stores for `snapshots`, each chunk once. */
export async function rawData(
  repository: Repository,
  view: IndexView,
  snapshots: readonly StoredSnapshot[],
  context: ReadContext,
): Promise<RawData> {
  const raw: RawData = {
    files: { chunks: 0, plainBytes: 0, storedBytes: 0 },
    trees: { chunks: 0, plainBytes: 0, storedBytes: 0 },
    missing: 0,
    packCount: view.listed.size,
    packBytes: [...view.listed.values()].reduce((sum, bytes) => sum + bytes, 0),
  };
  const uses = await usesOf(repository, view, snapshots, raw, context);
  for (const [pack, frames] of uses) await addStored(repository, pack, frames, raw, context);
  for (const sum of [raw.files, raw.trees]) sum.storedBytes = Math.round(sum.storedBytes);
  return raw;
}

async function usesOf(
  repository: Repository,
  view: IndexView,
  snapshots: readonly StoredSnapshot[],
  raw: RawData,
  context: ReadContext,
): Promise<Map<PackRecord, FrameUses>> {
  const onDamage = (error: AxiomError) => context.onEvent({ type: "error", error: reportError(error) });
  const options = { expectedChunks: view.index.entryCount, onDamage, signal: context.signal };
  const chunks = new ReachableChunks(repository.trees(view, context.signal), options);
  const uses = new Map<PackRecord, FrameUses>();
  for (const { snapshot } of snapshots) {
    for await (const { id, kind } of chunks.below(snapshot.root)) {
      const location = view.index.lookup(fromHex(id)).find(({ place }) => place.kind === kind);
      if (location === undefined) {
        raw.missing++;
        continue;
      }
      const { pack, place } = location;
      const sum = kind === ChunkKind.tree ? raw.trees : raw.files;
      sum.chunks++;
      sum.plainBytes += place.length;
      const frames = uses.get(pack) ?? new Map<number, number>();
      uses.set(pack, frames);
      frames.set(place.frame, (frames.get(place.frame) ?? 0) + place.length);
    }
  }
  return uses;
}

async function addStored(
  repository: Repository,
  pack: PackRecord,
  frames: FrameUses,
  raw: RawData,
  context: ReadContext,
): Promise<void> {
  throwIfAborted(context.signal);
  try {
    const table = await repository.packs.table(pack, context.signal);
    for (const [number, usedBytes] of frames) {
      const frame = repository.packs.frameOf(pack, table, number);
      const sum = frame.kind === ChunkKind.tree ? raw.trees : raw.files;
      sum.storedBytes += frame.plainBytes === 0 ? 0 : frame.storedBytes * (usedBytes / frame.plainBytes);
    }
  } catch (error) {
    if (!isDamage(error)) throw error;
    context.onEvent({ type: "error", error: reportError(error) });
  }
}
