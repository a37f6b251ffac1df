import type { Bytes } from "../base/bytes.ts";
import { AxiomError, type ErrorReport } from "../base/errors.ts";
import { OpenRequests } from "./open_requests.ts";
import type { StageRegistry, Stages, StageUse } from "./registry.ts";
import { type StageOffer, type StageOwner, stagesWith } from "./stage_offer.ts";
import type { FromWorker } from "./worker_protocol.ts";

interface Version {
  readonly number: number;
  readonly registry: StageRegistry;
  uses: number;
}

/** Stages of a worker: built-in ones, and those that the owner of the worker offers and may replace at any time. */
export class LiveStages implements Stages, StageOwner {
  readonly #asked = new OpenRequests<undefined, { output?: Bytes; report?: ErrorReport }>();
  #current: Version;

  constructor(
    readonly builtIn: StageRegistry,
    readonly post: (message: FromWorker, transfer: Transferable[]) => void,
  ) {
    this.#current = { number: 0, registry: builtIn, uses: 0 };
  }

  /** From the next use on. */
  become(version: number, offers: readonly StageOffer[]): void {
    const last = this.#current;
    this.#current = { number: version, registry: stagesWith(this.builtIn, offers, this), uses: 0 };
    this.#leave(last);
  }

  use(): StageUse {
    const version = this.#current;
    version.uses++;
    const release = () => {
      version.uses--;
      this.#leave(version);
    };
    return { registry: version.registry, release };
  }

  #leave(version: Version): void {
    if (version === this.#current || version.uses > 0 || version.number === 0) return;
    this.post({ type: "stages_left", version: version.number }, []);
  }

  async call(call: Parameters<StageOwner["call"]>[0]): Promise<Bytes> {
    const answer = await this.#asked.ask(undefined, (number) => {
      this.post({ type: "stage_call", number, call }, [call.data.buffer]);
    });
    if (answer.output !== undefined) return answer.output;
    const { kind, message, hint } = answer.report!;
    throw new AxiomError(kind, message, { hint });
  }

  async refuse(fault: Parameters<StageOwner["refuse"]>[0]): Promise<void> {
    await this.#asked.ask(undefined, (number) => this.post({ type: "stage_refused", number, fault }, []));
  }

  answer(number: number, answer: { output?: Bytes; report?: ErrorReport }): void {
    this.#asked.answer(number, answer);
  }
}
