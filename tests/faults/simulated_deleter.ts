import { createHash } from "node:crypto";
import { fromHex } from "../../src/base/bytes.ts";
import { isKind } from "../../src/base/errors.ts";
import { randomId, systemRandom } from "../../src/base/random.ts";
import { ChunkKind } from "../../src/model/chunk.ts";
import type { Entry } from "../../src/model/entry.ts";
import { indexKey, markerKey, packKey, PREFIX, sessionKey, snapshotKey } from "../../src/model/object_keys.ts";
import { decodeSnapshot, type Snapshot } from "../../src/model/snapshot.ts";
import { FrameCopier } from "../../src/operations/frame_copier.ts";
import type { ChunkLocation } from "../../src/repository/chunk_index.ts";
import { decodeCondemned, encodeCondemned } from "../../src/repository/condemned.ts";
import type { IndexView } from "../../src/repository/index_view.ts";
import { listPacks } from "../../src/repository/index_view.ts";
import type { Repository } from "../../src/repository/repository.ts";
import { splitIndex } from "../../src/repository/split_index.ts";
import { TreeReader } from "../../src/repository/tree_reader.ts";
import { RepositoryWriter } from "../../src/repository/writer.ts";
import { inProcessPool } from "./in_process_pool.ts";
import { IDENTITY, STYLE } from "./test_repository.ts";

/** A snapshot that counts lacks something: what no interleaving may bring about. */
export class Dangling extends Error {
  override readonly name = "Dangling";
}

/**
 * The deleter's half of the protocol between writers and deleters, as crude as it may be: it condemns packs, takes off
 * what is needed, and deletes the rest. Any number at a time. Steps are methods, to be called in their order, at any moments.
 */
export class SimulatedDeleter {
  readonly #listKey = `${PREFIX.condemned}${randomId(systemRandom)}`;
  #condemned = new Set<string>();
  #sessions: string[] = [];
  chunksCopied = 0;

  constructor(readonly repository: Repository) {}

  /** Takes snapshots away, as `forget` does: from then on their chunks are garbage. */
  async forget(ids: Iterable<string>): Promise<void> {
    const { store } = this.repository;
    for (const id of ids) {
      await store.remove(markerKey(id));
      await store.remove(snapshotKey(id));
    }
  }

  /** Steps 2 and 3: the list, then the sessions that must end before anything is deleted. */
  async condemn(chooses: () => boolean = () => true): Promise<void> {
    const { store, sealer } = this.repository;
    this.#condemned = new Set([...(await listPacks({ store })).keys()].filter(chooses));
    await store.put(
      this.#listKey,
      await sealer.seal("condemned", this.#listKey, encodeCondemned([...this.#condemned])),
    );
    this.#sessions = await this.#listSessions();
  }

  async #listSessions(): Promise<string[]> {
    const sessions: string[] = [];
    for await (const { key } of this.repository.store.list(PREFIX.sessions)) {
      if (/^sessions\/[0-9a-f]{32}$/.test(key)) sessions.push(key.slice(PREFIX.sessions.length));
    }
    return sessions;
  }

  /** Ends every remembered session. */
  async fence(): Promise<void> {
    for (const id of this.#sessions) await this.repository.store.remove(sessionKey(id));
  }

  /** Whether every remembered session is gone. */
  async mayMark(): Promise<boolean> {
    for (const id of this.#sessions) if (await this.repository.store.stat(sessionKey(id)) !== undefined) return false;
    return true;
  }

  /** Steps 4 to 7. */
  async sweep({ rewriteIndex = true } = {}): Promise<void> {
    const { store } = this.repository;
    let marks = await this.#markAll();
    while (marks.homeless.length > 0) {
      await this.#copy(marks.homeless);
      marks = await this.#markAll();
    }
    const { view, kept } = marks;
    const doomed = [...this.#condemned].filter((name) => !kept.has(name));
    if (rewriteIndex) await this.#rewriteIndex(view, new Set(doomed));
    for (const name of doomed) await store.remove(packKey(name));
    await store.remove(this.#listKey);
  }

  /** Step 4, in its order, and what step 5 makes of it. */
  async #markAll(): Promise<Marks> {
    const manifests = await this.#manifests();
    const others = await this.#othersLists();
    const view = await this.repository.loadIndex();
    const marks = { view, own: this.#condemned, others, kept: new Set<string>(), homeless: [] };
    for (const { id, snapshot, counts } of manifests) await this.#mark(id, snapshot, counts, marks);
    return marks;
  }

  async #othersLists(): Promise<Set<string>> {
    const { store, sealer } = this.repository;
    const names = new Set<string>();
    for await (const { key } of store.list(PREFIX.condemned)) {
      if (key === this.#listKey) continue;
      try {
        for (const name of decodeCondemned(await sealer.open("condemned", key, await store.get(key, "all")), key)) {
          names.add(name);
        }
      } catch (error) {
        if (!isKind(error, "object_missing")) throw error;
      }
    }
    return names;
  }

  /** To new packs, which are indexed. If a source is gone it is marked again. */
  async #copy(homeless: readonly ChunkLocation[]): Promise<void> {
    const pool = inProcessPool();
    try {
      const writer = await RepositoryWriter.begin(this.repository, pool, IDENTITY, STYLE);
      await writer.end(); // a deleter has no session
      const copier = new FrameCopier(writer);
      for (const { pack, place } of homeless) {
        const table = await this.repository.packs.table(pack);
        const chunk = table.frames[place.frame].chunks.findIndex(({ offset }) => offset === place.offset);
        await copier.copy(pack, table, place.frame, [chunk]);
        this.chunksCopied++;
      }
      await copier.flush();
    } catch (error) {
      if (!isKind(error, "object_missing")) throw error;
    } finally {
      pool.close();
    }
  }

  /** All manifests, with or without marker. */
  async #manifests(): Promise<{ id: string; snapshot: Snapshot; counts: boolean }[]> {
    const { store, sealer } = this.repository;
    const ids: string[] = [];
    for await (const { key } of store.list(PREFIX.snapshots)) {
      const id = /^snapshots\/([0-9a-f]{32})$/.exec(key)?.[1];
      if (id !== undefined) ids.push(id);
    }
    const manifests = [];
    for (const id of ids) {
      try {
        const payload = await sealer.open("snapshot", snapshotKey(id), await store.get(snapshotKey(id), "all"));
        const counts = await store.stat(markerKey(id)) !== undefined;
        manifests.push({ id, snapshot: decodeSnapshot(payload, id), counts });
      } catch (error) {
        if (!isKind(error, "object_missing")) throw error;
      }
    }
    return manifests;
  }

  /** Adds the packs of every chunk that a manifest needs. One that does not count yet may be a fenced writer's, and dangle. */
  async #mark(id: string, { root }: Snapshot, counts: boolean, marks: Marks): Promise<void> {
    try {
      await new Marking(this.repository, marks).folder(root);
    } catch (error) {
      if (!isKind(error, "object_missing") && !(error instanceof Dangling)) throw error;
      const stillCounts = counts && await this.repository.store.stat(snapshotKey(id)) !== undefined;
      if (stillCounts) throw new Dangling(`The snapshot ${id} counts and dangles: ${error.message}`, { cause: error });
    }
  }

  /** Step 6: leaves out doomed packs, and those that a listing later than the index lacked. */
  async #rewriteIndex(view: IndexView, doomed: ReadonlySet<string>): Promise<void> {
    const { store, sealer } = this.repository;
    const allowed = { has: (name: string) => view.listed.has(name) && !doomed.has(name) };
    const supersedes = [...view.objects.current, ...view.objects.superseded];
    const written: string[] = [];
    for (const payload of splitIndex(view.index, { supersedes, allowed: allowed as ReadonlySet<string> })) {
      const name = createHash("sha256").update(payload).digest("hex");
      const key = indexKey(name);
      await store.put(key, await sealer.seal("index", key, payload)).catch((error) => {
        if (!isKind(error, "object_exists")) throw error;
      });
      written.push(name);
    }
    for (const name of supersedes) if (!written.includes(name)) await store.remove(indexKey(name));
  }

  /** A manifest without marker may go if its session was looked for first, and then no marker was found. */
  async removeUnfinished(): Promise<void> {
    const { store } = this.repository;
    for (const { id, snapshot } of await this.#manifests()) {
      if (await store.stat(sessionKey(snapshot.session)) !== undefined) continue;
      if (await store.stat(markerKey(id)) === undefined) await store.remove(snapshotKey(id));
    }
  }
}

interface Marks {
  view: IndexView;
  /** Packs on the own list, and on those of others. */
  own: ReadonlySet<string>;
  others: ReadonlySet<string>;
  /** Taken off the own list. */
  kept: Set<string>;
  /** Where chunks lie that have to be copied. */
  homeless: ChunkLocation[];
}

/** Step 5: follows everything below a folder. Of several packs that hold a chunk, one is enough. */
class Marking {
  readonly #trees: TreeReader;
  readonly #seen = new Set<string>();
  readonly #known = new Set<string>();

  constructor(
    repository: Repository,
    readonly marks: Marks,
  ) {
    const { document } = repository.chunks(marks.view);
    this.#trees = new TreeReader((id) => {
      this.#need(id, ChunkKind.tree);
      return document(id);
    });
  }

  #need(id: string, kind: ChunkKind): void {
    const { view, own, others, kept, homeless } = this.marks;
    if (this.#known.has(`${kind} ${id}`)) return;
    this.#known.add(`${kind} ${id}`);
    const places = view.index.lookup(fromHex(id)).filter(({ place, pack }) =>
      place.kind === kind && view.listed.has(pack.name)
    );
    if (places.length === 0) throw new Dangling(`No listed pack holds ${id}`);
    const unindexed = new Set(view.unindexed.map(({ name }) => name));
    const free = places.filter(({ pack }) => !others.has(pack.name) && !unindexed.has(pack.name));
    if (free.some(({ pack }) => !own.has(pack.name) || kept.has(pack.name))) return;
    if (free.length > 0) kept.add(free[0].pack.name);
    else homeless.push(places[0]);
  }

  async folder(id: string): Promise<void> {
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    for await (const entry of this.#trees.entries(id)) await this.#entry(entry);
  }

  async #entry(entry: Entry): Promise<void> {
    for (const { chunks } of entry.xattrs ?? []) for (const id of chunks ?? []) this.#need(id, ChunkKind.tree);
    const kind = entry.content?.kind === "plain" ? ChunkKind.plain : ChunkKind.data;
    for await (const elements of this.#trees.content(entry.content)) {
      for (const element of elements) if (typeof element === "string") this.#need(element, kind);
    }
    if (entry.subtree !== undefined) await this.folder(entry.subtree);
  }
}
