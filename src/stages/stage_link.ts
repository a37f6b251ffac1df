import type { Bytes } from "../base/bytes.ts";
import { AxiomError, messageOf, reportError } from "../base/errors.ts";
import type { StageOffer, StageOwner } from "./stage_offer.ts";
import type { FromWorker, ToWorker } from "./worker_protocol.ts";

/** Whoever runs stages that are not built in, and may replace them at any time. */
export interface StageHost extends StageOwner {
  /** Those of this moment, which stay as they are until released. */
  offer(): { readonly offers: readonly StageOffer[]; release(): void };
  /** Calls `listener` after each change, before any other answer; returns what ends that. */
  onChange(listener: () => void): () => void;
}

type StageMessage = Extract<FromWorker, { type: "stage_call" | "stage_refused" | "stages_left" }>;

/** Brings what a host offers to one worker, and the worker's calls to the host. */
export class StageLink {
  readonly #held = new Map<number, () => void>();
  readonly #end: () => void;
  #version = 0;

  constructor(
    readonly host: StageHost,
    readonly post: (message: ToWorker, transfer?: Transferable[]) => void,
  ) {
    this.#end = host.onChange(() => this.#offer());
    this.#offer();
  }

  #offer(): void {
    const { offers, release } = this.host.offer();
    this.#held.set(++this.#version, release);
    this.post({ type: "stages", version: this.#version, offers });
  }

  receive(message: StageMessage): void {
    if (message.type === "stages_left") {
      this.#held.get(message.version)?.();
      this.#held.delete(message.version);
    } else if (message.type === "stage_call") {
      void this.#answer(message.number, this.host.call(message.call));
    } else {
      void this.#answer(message.number, this.host.refuse(message.fault).then(() => new Uint8Array(0)));
    }
  }

  async #answer(number: number, work: Promise<Bytes>): Promise<void> {
    try {
      const output = await work;
      this.post({ type: "stage_answer", number, output }, [output.buffer]);
    } catch (error) {
      const report = error instanceof AxiomError
        ? reportError(error)
        : { kind: "internal" as const, message: messageOf(error) };
      this.post({ type: "stage_answer", number, report });
    }
  }

  close(): void {
    this.#end();
    for (const release of this.#held.values()) release();
    this.#held.clear();
  }
}
