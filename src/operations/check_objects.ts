import type { Bytes } from "../base/bytes.ts";
import { decodeJson } from "../base/canonical_json.ts";
import { formatDuration } from "../base/durations.ts";
import { isKind, messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { displayName } from "../base/names.ts";
import { formatSize } from "../base/sizes.ts";
import type { SealedType } from "../model/envelope.ts";
import { objectForm } from "../model/object_forms.ts";
import { ledgerKey } from "../model/object_keys.ts";
import { decodeCondemned } from "../repository/condemned.ts";
import { decodeLedgerRecord } from "../repository/ledger.ts";
import type { Repository } from "../repository/repository.ts";
import { readDecoder } from "../repository/stored_decoders.ts";
import type { DamageKind, Findings } from "./check_findings.ts";
import { isDamage } from "./damage.ts";

const FOREIGN_NOTES_MAX = 100;
/** A record under an absurd number must not make a check look for all before it. */
const LEDGER_GAPS_MAX = 100;

interface SessionSeen {
  /** From the session itself, absent for heartbeats without one. */
  about?: { host?: unknown; user?: unknown };
  lastSignNs: bigint;
}

/**
 * Goes once through everything that is stored and judges what no other part of a check looks at: sessions, lists of
 * condemned packs, the ledger and the audit chain, stored decoders, and what does not belong here.
 */
export async function checkObjects(
  repository: Repository,
  findings: Findings,
  foreignPaths: () => readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  await new ObjectsCheck(repository, findings, signal).run(foreignPaths);
}

class ObjectsCheck {
  readonly #sessions = new Map<string, SessionSeen>();
  readonly #ledger = new Set<number>();
  #ledgerGaps = 0;
  #foreign = 0;
  #aside = 0;
  #asideBytes = 0;
  #condemned = 0;

  constructor(readonly repository: Repository, readonly findings: Findings, readonly signal?: AbortSignal) {}

  async run(foreignPaths: () => readonly string[]): Promise<void> {
    for await (const { key, sizeBytes } of this.repository.store.list("", this.signal)) {
      await this.#object(key, sizeBytes);
    }
    for (const path of foreignPaths()) this.#noteForeign(path);
    this.#noteSessions();
    await this.#checkLedger();
    if (this.#foreign > FOREIGN_NOTES_MAX) {
      const more = this.#foreign - FOREIGN_NOTES_MAX;
      this.findings.note("foreign_objects", "", `${more} more do not belong to a repository`);
    }
    if (this.#aside > 0) {
      const what = `${this.#aside} damaged objects (${formatSize(this.#asideBytes)}) were set aside earlier`;
      this.findings.note("set_aside", "damaged/", `${what}; remove them once nothing is missed`);
    }
    if (this.#condemned > 0) {
      const message = `${this.#condemned} packs are on lists of what will be deleted`;
      this.findings.note("condemned_packs", "condemned/", message);
    }
  }

  async #object(key: string, sizeBytes: number): Promise<void> {
    const form = objectForm(key);
    switch (form?.type) {
      case undefined:
        return this.#noteForeign(key);
      case "damaged":
        this.#aside++;
        this.#asideBytes += sizeBytes;
        return;
      case "session":
      case "heartbeat":
        return await this.#session(key, form.type, form.name);
      case "condemned":
        return await this.#attempt(key, "condemned_damaged", async () => {
          this.#condemned += decodeCondemned(await this.#open(key, "condemned"), key).length;
        });
      case "ledger":
        this.#ledger.add(Number(form.name));
        return await this.#attempt(key, "object_damaged", async () => {
          decodeLedgerRecord(await this.#open(key, "ledger"), key);
        });
      case "audit":
        return await this.#attempt(key, "object_damaged", () => this.#open(key, "audit"));
      case "codec":
        return await this.#codec(key, form.name);
      case "codec_signature":
        return this.#signature(key, sizeBytes);
    }
  }

  async #open(key: string, type: SealedType): Promise<Bytes> {
    const { store, sealer } = this.repository;
    return await sealer.open(type, key, await store.get(key, "all", this.signal));
  }

  async #attempt(key: string, kind: DamageKind, judge: () => Promise<unknown>): Promise<void> {
    try {
      await judge();
    } catch (error) {
      if (isKind(error, "object_missing")) return; // gone since the listing
      if (!isDamage(error)) throw error;
      this.findings.error(kind, key, messageOf(error));
    }
  }

  async #codec(key: string, sha256: string): Promise<void> {
    try {
      await readDecoder(this.repository.store, sha256, this.signal);
    } catch (error) {
      if (isKind(error, "object_missing")) return; // gone since the listing
      if (!isDamage(error) && !isKind(error, "plugin_refused")) throw error;
      this.findings.error("object_damaged", key, messageOf(error));
    }
  }

  /** Whether it is right only who trusts a key can tell. */
  #signature(key: string, sizeBytes: number): void {
    if (sizeBytes <= LIMITS.signatureFileBytesMax) return;
    const why = `it has ${sizeBytes} bytes, ${LIMITS.signatureFileBytesMax} are allowed`;
    this.findings.error("object_damaged", key, `Cannot use the signature ${key}: ${why}`);
  }

  async #session(key: string, type: "session" | "heartbeat", id: string): Promise<void> {
    await this.#attempt(key, "session_damaged", async () => {
      const document = decodeJson(await this.#open(key, type)) as Record<string, unknown>;
      const seen = this.#sessions.get(id) ?? { lastSignNs: 0n };
      if (type === "session") seen.about = document;
      const sign = timeOf(type === "session" ? document.started : document.at);
      if (sign > seen.lastSignNs) seen.lastSignNs = sign;
      this.#sessions.set(id, seen);
    });
  }

  #noteSessions(): void {
    const now = BigInt(this.repository.context.clock.nowNs());
    for (const [id, { about, lastSignNs }] of this.#sessions) {
      const agoMs = Math.max(0, Number((now - lastSignNs) / 1_000_000n));
      const ago = `its last sign of life was ${formatDuration(agoMs)} ago`;
      if (about === undefined) {
        const message = `Heartbeats of the session ${id} are left, and the session is gone; ${ago}`;
        this.findings.note("heartbeats_left", `sessions/${id}`, message);
        continue;
      }
      const where = `${displayName(String(about.user))}@${displayName(String(about.host))}`;
      const isStale = agoMs > STALE_INTERVALS * LIMITS.heartbeatIntervalMs;
      const state = isStale ? "seems to have been interrupted" : "is at work";
      this.findings.note(
        isStale ? "session_stale" : "session_at_work",
        `sessions/${id}`,
        `A backup of ${where} ${state}: ${ago}`,
      );
    }
  }

  /** Records have numbers without gaps, so that nobody can take one away unnoticed, but for the last ones. */
  async #checkLedger(): Promise<void> {
    let newest = 0;
    for (const number of this.#ledger) newest = Math.max(newest, number);
    for (let number = 1; number < newest; number++) {
      const key = ledgerKey(number);
      // One that was put during the listing may not have been in it.
      if (this.#ledger.has(number) || await this.repository.store.stat(key, this.signal) !== undefined) continue;
      this.findings.error("object_damaged", key, `Cannot find ${key}: a record of the ledger is gone`);
      if (++this.#ledgerGaps === LEDGER_GAPS_MAX) return;
    }
  }

  #noteForeign(path: string): void {
    if (++this.#foreign > FOREIGN_NOTES_MAX) return;
    this.findings.note("foreign_object", path, `${displayName(path)} does not belong to a repository`);
  }
}

/** Heartbeats that may be late before a session is called stale; nothing but words depends on it. */
const STALE_INTERVALS = 6;

function timeOf(value: unknown): bigint {
  return typeof value === "string" && /^[0-9]{1,20}$/.test(value) ? BigInt(value) : 0n;
}
