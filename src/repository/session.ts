import type { Clock } from "../base/clock.ts";
import { encodeJson } from "../base/canonical_json.ts";
import { AxiomError, messageOf } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import { LIMITS } from "../base/limits.ts";
import { type Random, randomId } from "../base/random.ts";
import { sessionKey } from "../model/object_keys.ts";
import type { ObjectStore } from "../storage/object_store.ts";
import type { ObjectSealer } from "./object_sealer.ts";

/**
 * A writer at work, as others see it: `sessions/<id>` is put once and never written again, heartbeats are further objects.
 * Whoever deletes `sessions/<id>` has fenced this writer: nothing that it wrote may count any more.
 */
export class WriterSession {
  readonly id: string;
  #heartbeats = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #beating: Promise<void> = Promise.resolve();

  private constructor(readonly store: ObjectStore, readonly sealer: ObjectSealer, id: string) {
    this.id = id;
  }

  static async begin(
    store: ObjectStore,
    sealer: ObjectSealer,
    about: { client: string; host: string; user: string; tool_version: string },
    { random, clock, onEvent, signal }: { random: Random; clock: Clock; onEvent: EventSink; signal?: AbortSignal },
  ): Promise<WriterSession> {
    const session = new WriterSession(store, sealer, randomId(random));
    const key = sessionKey(session.id);
    await store.put(
      key,
      await sealer.seal("session", key, encodeJson({ ...about, version: 1, started: clock.nowNs() })),
      signal,
    );
    session.#startHeartbeats(clock, onEvent);
    return session;
  }

  #startHeartbeats(clock: Clock, onEvent: EventSink): void {
    this.#timer = setInterval(() => {
      this.#beating = this.#beat(clock).catch((error) =>
        onEvent({ type: "warning", code: "heartbeat_failed", message: `Cannot write a heartbeat: ${messageOf(error)}` })
      );
    }, LIMITS.heartbeatIntervalMs);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  async #beat(clock: Clock): Promise<void> {
    const key = sessionKey(this.id, ++this.#heartbeats);
    await this.store.put(key, await this.sealer.seal("heartbeat", key, encodeJson({ version: 1, at: clock.nowNs() })));
  }

  async exists(signal?: AbortSignal): Promise<boolean> {
    return await this.store.stat(sessionKey(this.id), signal) !== undefined;
  }

  /** Throws `session_fenced` if somebody ended this session. */
  async demand(signal?: AbortSignal): Promise<void> {
    if (!await this.exists(signal)) {
      throw new AxiomError("session_fenced", `Cannot finish the session ${this.id}: another client ended it`, {
        hint: "Run the backup again; what was uploaded is used again",
      });
    }
  }

  stopHeartbeats(): void {
    clearInterval(this.#timer);
  }

  /** Removes heartbeats, then the session itself. */
  async end(): Promise<void> {
    this.stopHeartbeats();
    await this.#beating;
    for (let n = 1; n <= this.#heartbeats; n++) await this.store.remove(sessionKey(this.id, n));
    await this.store.remove(sessionKey(this.id));
  }

  /** Like {@linkcode end}; a session that stays costs a warning. */
  async endOrWarn(onEvent: EventSink): Promise<void> {
    try {
      await this.end();
    } catch (error) {
      const message = `Cannot remove the session ${this.id}: ${messageOf(error)}`;
      onEvent({ type: "warning", code: "session", message });
    }
  }
}
