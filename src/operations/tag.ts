import { AxiomError, isKind, messageOf, throwIfAborted } from "../base/errors.ts";
import { randomId } from "../base/random.ts";
import { labelFault } from "../model/fields.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { readCondemned } from "../repository/condemned.ts";
import { appendLedger, type RemovedSnapshot } from "../repository/ledger.ts";
import type { Repository } from "../repository/repository.ts";
import { WriterSession } from "../repository/session.ts";
import { readSnapshot, SnapshotCommit, type SnapshotList, type StoredSnapshot } from "../repository/snapshots.ts";
import { outwaitStaleListings, type WriterIdentity } from "../repository/writer.ts";
import type { ReadContext } from "./list_snapshots.ts";
import { demandSafeFromDeletion } from "./safe_from_deletion.ts";

export interface TagOptions {
  snapshots: readonly StoredSnapshot[];
  /** Replaces all tags; then `add` and `remove` must be empty. */
  set?: readonly string[];
  add?: readonly string[];
  remove?: readonly string[];
}

export interface TagContext extends ReadContext {
  identity: WriterIdentity;
}

export interface TaggedSnapshot {
  /** A manifest is never changed: the snapshot has a new id. */
  id: string;
  replacedId: string;
  tags: string[];
}

export interface TagSummary {
  changed: TaggedSnapshot[];
  unchanged: string[];
  /** Old snapshots that the store did not let go. */
  remaining: string[];
}

/** Snapshots whose removal one record of the ledger tells of. */
const GROUP = 100;
const TRIES = 3;

/**
 * Gives snapshots other tags. For each a new manifest is committed as a backup's is, then the ledger says that it takes the
 * place of the old one, then the old one goes; so an interruption leaves the old, both or the new, and the next call ends
 * what was begun. Throws `usage` for a malformed tag, `session_fenced` where another client ends the session again and
 * again, `storage_busy` where a deletion that is under way may take what a snapshot needs.
 */
export async function tagSnapshots(
  repository: Repository,
  options: TagOptions,
  context: TagContext,
): Promise<TagSummary> {
  const change = tagChange(options);
  repository.require("write");
  repository.require("delete");
  const summary: TagSummary = { changed: [], unchanged: [], remaining: [] };
  let wanted = options.snapshots.filter(({ id, snapshot }) => {
    if (!sameTags(change(snapshot.tags), snapshot.tags)) return true;
    summary.unchanged.push(id);
    return false;
  });
  for (let tries = 1; wanted.length > 0; tries++) {
    try {
      await new TagRun(repository, change, context, summary).run(wanted);
      break;
    } catch (error) {
      if (!isKind(error, "session_fenced") || tries === TRIES) throw error;
      context.onEvent({ type: "warning", code: "session_fenced", message: `${error.message}; starting over` });
      const done = new Set(summary.changed.map(({ replacedId }) => replacedId));
      wanted = wanted.filter(({ id }) => !done.has(id));
    }
  }
  return summary;
}

type TagChange = (tags: readonly string[]) => string[];

function tagChange({ set, add = [], remove = [] }: TagOptions): TagChange {
  for (const tag of [...(set ?? []), ...add]) checkTag(tag);
  if (set !== undefined && add.length + remove.length > 0) {
    throw new AxiomError("usage", "Cannot both set all tags and add or remove some");
  }
  if (set === undefined && add.length + remove.length === 0) {
    throw new AxiomError("usage", "Cannot change tags: none was given", { hint: "Give --set, --add or --remove" });
  }
  const gone = new Set(remove);
  return (tags) => [...new Set(set ?? [...tags.filter((tag) => !gone.has(tag)), ...add])].sort();
}

/** Throws `usage` unless `tag` can be told apart from others in a list such as `a,b`. */
export function checkTag(tag: string): void {
  const fault = tag.trim() === ""
    ? "it is empty"
    : tag.trim() !== tag
    ? "it begins or ends with a space"
    : tag.includes(",")
    ? "it contains a comma, which separates tags"
    : labelFault(tag)?.replace("the label", "it");
  if (fault !== undefined) throw new AxiomError("usage", `Cannot use the tag ${JSON.stringify(tag)}: ${fault}`);
}

function sameTags(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((tag) => b.includes(tag));
}

class TagRun {
  constructor(
    readonly repository: Repository,
    readonly change: TagChange,
    readonly context: TagContext,
    readonly summary: TagSummary,
  ) {}

  async run(wanted: readonly StoredSnapshot[]): Promise<void> {
    const { store, sealer, context } = this.repository;
    const { identity, signal } = this.context;
    const session = await WriterSession.begin(store, sealer, identity, { ...context, signal });
    try {
      await outwaitStaleListings(this.repository, signal);
      const condemned = await readCondemned(this.repository.indexSource(signal), this.context.onEvent);
      const list = await this.repository.snapshots(signal);
      const here = wanted.filter(({ id }) => list.snapshots.some((stored) => stored.id === id));
      await demandSafeFromDeletion(this.repository, here, condemned, signal);
      for (let at = 0; at < wanted.length; at += GROUP) {
        await this.#group(session, wanted.slice(at, at + GROUP), list);
      }
    } finally {
      await session.endOrWarn(this.context.onEvent);
    }
  }

  /** What was committed is brought to its end also when a later one fails. */
  async #group(session: WriterSession, group: readonly StoredSnapshot[], list: SnapshotList): Promise<void> {
    const replaced: { old: StoredSnapshot; id: string; tags: string[] }[] = [];
    let failure: { reason: unknown } | undefined;
    try {
      for (const { id } of group) {
        throwIfAborted(this.context.signal);
        const old = await this.#read(id);
        const tags = this.change(old.snapshot.tags);
        const finished = finishedTwin(list, old, tags);
        replaced.push({ old, id: finished ?? await this.#commit(session, old, tags), tags });
      }
    } catch (reason) {
      failure = { reason };
    }
    if (replaced.length > 0) {
      await this.#record(replaced.map(({ old, id }) => ({ id: old.id, replaced_by: id })));
      for (const { old, id, tags } of replaced) {
        await this.#removeOld(old);
        this.summary.changed.push({ id, replacedId: old.id, tags });
      }
    }
    if (failure !== undefined) throw failure.reason;
  }

  async #read(id: string): Promise<StoredSnapshot> {
    const { store, sealer } = this.repository;
    try {
      return await readSnapshot(store, sealer, id, this.context.signal);
    } catch (error) {
      if (!isKind(error, "object_missing")) throw error;
      throw new AxiomError("snapshot_missing", `Cannot change the tags of ${id}: it was removed meanwhile`, {
        hint: "Run `axiom snapshots` to see all",
        cause: error,
      });
    }
  }

  async #commit(session: WriterSession, { id, snapshot }: StoredSnapshot, tags: string[]): Promise<string> {
    const { store, sealer, context } = this.repository;
    const retagged: Snapshot = { ...snapshot, tags, session: session.id, original: snapshot.original ?? id };
    const commit = new SnapshotCommit(store, sealer, randomId(context.random), retagged);
    await commit.commit(session, this.context.onEvent, this.context.signal);
    return commit.id;
  }

  async #record(removed: RemovedSnapshot[]): Promise<void> {
    const { store, sealer, context } = this.repository;
    const { client, host, user } = this.context.identity;
    const by = { client, host, user };
    await appendLedger(store, sealer, { version: 1, reason: "tag", removed, by, time: context.clock.nowNs() });
  }

  /** Marker first: without it a manifest does not count. */
  async #removeOld({ id, snapshot }: StoredSnapshot): Promise<void> {
    const { store, sealer } = this.repository;
    try {
      await new SnapshotCommit(store, sealer, id, snapshot).withdraw();
    } catch (error) {
      if (!isKind(error, "storage_denied")) throw error;
      this.summary.remaining.push(id);
      const message = `The old snapshot ${id} remains beside the new one: ${messageOf(error)}`;
      this.context.onEvent({ type: "warning", code: "retained", message });
    }
  }
}

/** A snapshot that an interrupted call committed already. */
function finishedTwin(list: SnapshotList, old: StoredSnapshot, tags: readonly string[]): string | undefined {
  const original = old.snapshot.original ?? old.id;
  const { root, time } = old.snapshot;
  return list.snapshots.find(({ id, snapshot }) =>
    id !== old.id && snapshot.original === original && snapshot.root === root && snapshot.time === time &&
    sameTags(snapshot.tags, tags)
  )?.id;
}
