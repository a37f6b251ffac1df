import { formatLocalTime } from "../base/times.ts";
import type { Repository } from "../repository/repository.ts";
import type { SnapshotList, StoredSnapshot } from "../repository/snapshots.ts";
import type { ReadContext } from "./list_snapshots.ts";
import { filterSnapshots, type SnapshotFilter } from "./snapshot_filter.ts";
import { inOrder } from "./snapshot_order.ts";
import { judgeStrays } from "./stray_snapshots.ts";

/** Which snapshots a command is about. */
export interface SnapshotQuestion {
  /** Ids, prefixes or `latest`; all by default. */
  readonly names?: readonly string[];
  readonly filter?: SnapshotFilter;
}

/**
 * The snapshots of a repository, for whoever asks for all or for the latest: a finished one that lost its commit marker is
 * told, because an older one would else stand for it without a word. A backup at work is none.
 */
export async function readSnapshotList(
  repository: Repository,
  question: SnapshotQuestion,
  context: ReadContext,
): Promise<SnapshotList> {
  const list = await repository.snapshots(context.signal);
  const { names = [] } = question;
  if (list.unfinished.length > 0 && (names.length === 0 || names.includes("latest"))) {
    warnOf(await unmarked(repository, list, question, context.signal), context);
  }
  return list;
}

async function unmarked(
  repository: Repository,
  list: SnapshotList,
  { names = [], filter = {} }: SnapshotQuestion,
  signal?: AbortSignal,
): Promise<StoredSnapshot[]> {
  const strays = await judgeStrays(repository, { ...list, damaged: [], orphans: [] }, signal);
  const found = filterSnapshots(strays.flatMap((stray) => stray.state === "unmarked" ? [stray.stored] : []), filter);
  const counted = filterSnapshots(list.snapshots, filter);
  const order = inOrder([...counted, ...found], repository.context.clock.nowNs());
  // Beside the latest alone, one that is older changes nothing.
  const from = names.length === 0 ? 0 : order.findLastIndex((stored) => counted.includes(stored)) + 1;
  return order.slice(from).filter((stored) => found.includes(stored));
}

function warnOf(found: readonly StoredSnapshot[], { onEvent }: ReadContext): void {
  const newest = found.at(-1);
  if (newest === undefined) return;
  const what = `${newest.id.slice(0, 8)} of ${formatLocalTime(newest.snapshot.time)}`;
  const subject = found.length === 1
    ? `The snapshot ${what} does`
    : `${found.length} snapshots, of which ${what} is the newest, do`;
  const message =
    `${subject} not count: the commit marker is gone; \`axiom repair snapshots\` brings back what was lost`;
  onEvent({ type: "warning", code: "marker_missing", message });
}
