/**
 * What this machine saw of the repository at a location, so that a server that shows yesterday's listing, hides a snapshot,
 * or serves another repository is noticed. `pins/<hash of the location>.json` of the state folder:
 *
 * ```text
 * {"config_generation":n,"heads":[{"id":hex 16,"key":hex 32}, …],"keyring_generation":n,
 *  "location":text,"repository_id":hex 16,"version":1}
 * ```
 *
 * A head is the last snapshot that this client made of a list of paths; its `key` is the SHA-256 of that list.
 */
import { createHash } from "node:crypto";
import { equalBytes, fromUtf8 } from "../base/bytes.ts";
import { encodeJson, type Json } from "../base/canonical_json.ts";
import { AxiomError, messageOf } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import { LIMITS } from "../base/limits.ts";
import { encodeName } from "../base/names.ts";
import { isDocument, isHexOf } from "../model/fields.ts";
import { markerKey, snapshotKey } from "../model/object_keys.ts";
import type { StateFiles } from "../platform/state_files.ts";
import { readLedger } from "./ledger.ts";
import type { Repository } from "./repository.ts";

export interface PinnedHead {
  /** Of the list of paths. */
  key: string;
  id: string;
}

export interface Pins {
  version: 1;
  location: string;
  repository_id: string;
  config_generation: number;
  keyring_generation: number;
  heads: PinnedHead[];
}

export function pathsKey(paths: readonly string[]): string {
  return createHash("sha256").update(encodeName(paths.join("\0"))).digest("hex");
}

function pinsName(location: string): string {
  return `pins/${createHash("sha256").update(location).digest("hex").slice(0, 32)}.json`;
}

/** Remembers repositories by their location. What cannot be read or written costs a warning, never a backup. */
export class PinStore {
  constructor(readonly files: StateFiles, readonly onEvent: EventSink) {}

  /**
   * Compares an open repository with what is pinned, and pins what is newer. Throws `repository_changed` if the id is another
   * one, a generation went back, or a snapshot of this client is gone though nobody recorded that it was forgotten.
   */
  async check(repository: Repository, signal?: AbortSignal): Promise<void> {
    const { location } = repository.store;
    const pins = await this.#read(location);
    const { configGeneration, keyringGeneration } = repository.opened;
    if (pins !== undefined) {
      if (pins.repository_id !== repository.id) {
        throw changed(
          location,
          `it has the id ${repository.id}, and the one that was here before ${pins.repository_id}`,
        );
      }
      wentBack(location, "config", pins.config_generation, configGeneration);
      wentBack(location, "keyring", pins.keyring_generation, keyringGeneration);
    }
    const heads = await this.#presentHeads(repository, pins?.heads ?? [], signal);
    const seen: Pins = {
      version: 1,
      location,
      repository_id: repository.id,
      config_generation: configGeneration,
      keyring_generation: keyringGeneration,
      heads,
    };
    if (pins === undefined || !equalBytes(encodePins(seen), encodePins(pins))) await this.#write(seen);
  }

  /** Those that are there; throws for one that is gone without a record. */
  async #presentHeads(
    repository: Repository,
    heads: readonly PinnedHead[],
    signal?: AbortSignal,
  ): Promise<PinnedHead[]> {
    const { store } = repository;
    const there = await Promise.all(heads.map(({ id }) => store.stat(markerKey(id), signal)));
    const gone = heads.filter((_, at) => there[at] === undefined);
    if (gone.length === 0) return [...heads];
    const present = heads.filter((_, at) => there[at] !== undefined);
    const ledger = await readLedger(store, repository.sealer, signal);
    const removed = new Map(ledger.records.flatMap(({ record }) => record.removed).map((each) => [each.id, each]));
    for (const { key, id } of gone) {
      let now: string | undefined = id;
      const seen = new Set<string>();
      while (now !== undefined && removed.has(now) && !seen.has(now)) {
        seen.add(now);
        now = removed.get(now)!.replaced_by;
      }
      if (now === undefined || seen.has(now)) continue;
      if (now !== id && await store.stat(markerKey(now), signal) !== undefined) present.push({ key, id: now });
      else throw await this.#gone(repository, now, signal);
    }
    return present;
  }

  async #gone({ store }: Repository, id: string, signal?: AbortSignal): Promise<AxiomError> {
    if (await store.stat(snapshotKey(id), signal) === undefined) {
      return changed(store.location, `the snapshot ${id} is gone, and no record says that anyone removed it`);
    }
    const why = `the commit marker of the snapshot ${id} is gone, so it does not count`;
    return new AxiomError("repository_changed", `Cannot trust the repository ${store.location}: ${why}`, {
      hint: "Run `axiom check` to see what else is lost; `axiom repair snapshots` brings the snapshot back",
    });
  }

  /** Makes a new snapshot the head of its paths. */
  async pinHead(repository: Repository, id: string, paths: readonly string[]): Promise<void> {
    const pins = await this.#read(repository.store.location);
    if (pins === undefined || pins.repository_id !== repository.id) return;
    const key = pathsKey(paths);
    const others = pins.heads.filter((head) => head.key !== key);
    const heads = [...others, { key, id }].slice(-LIMITS.pinnedHeadsMax);
    await this.#write({ ...pins, heads });
  }

  /** Forgets what was seen at a location, so that whatever is there now is taken as it is. */
  async forget(location: string): Promise<void> {
    await this.files.remove(pinsName(location));
  }

  async #read(location: string): Promise<Pins | undefined> {
    try {
      const data = await this.files.read(pinsName(location));
      if (data === undefined) return undefined;
      const pins = decodePins(data);
      if (pins !== undefined) return pins.location === location ? pins : undefined;
      this.#warn(`what is remembered of ${location} cannot be read, and is made anew`);
    } catch (error) {
      this.#warn(messageOf(error));
    }
    return undefined;
  }

  async #write(pins: Pins): Promise<void> {
    try {
      await this.files.write(pinsName(pins.location), encodePins(pins));
    } catch (error) {
      this.#warn(messageOf(error));
    }
  }

  #warn(why: string): void {
    const message = `Cannot remember in ${this.files.folder} what was seen of the repository: ${why}`;
    this.onEvent({ type: "warning", code: "pins", message });
  }
}

function encodePins(pins: Pins) {
  return encodeJson(pins as unknown as Json);
}

export function decodePins(data: Uint8Array): Pins | undefined {
  let pins: unknown;
  try {
    pins = JSON.parse(fromUtf8(data));
  } catch {
    return undefined;
  }
  if (!isDocument(pins) || pins.version !== 1 || typeof pins.location !== "string") return undefined;
  if (!isHexOf(pins.repository_id, 16) || !Array.isArray(pins.heads)) return undefined;
  if (![pins.config_generation, pins.keyring_generation].every((number) => Number.isSafeInteger(number))) {
    return undefined;
  }
  const isHead = (head: unknown) => isDocument(head) && isHexOf(head.key, 32) && isHexOf(head.id, 16);
  return pins.heads.every(isHead) ? pins as unknown as Pins : undefined;
}

function wentBack(location: string, what: string, pinned: number, seen: number): void {
  if (seen >= pinned) return;
  throw changed(location, `its ${what} is of generation ${seen}, and generation ${pinned} was seen here before`);
}

function changed(location: string, why: string): AxiomError {
  return new AxiomError("repository_changed", `Cannot trust the repository ${location}: ${why}`, {
    hint: "If you put another or an older copy there yourself, run `axiom doctor --accept-repository`; " +
      "else somebody changed it: do not write to it, and restore from another copy",
  });
}
