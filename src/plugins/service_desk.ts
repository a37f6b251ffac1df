import type { Bytes } from "../base/bytes.ts";
import type { Json } from "../base/canonical_json.ts";
import { utf8 } from "../base/bytes.ts";
import { isKind } from "../base/errors.ts";
import { ERROR_CLASSES, type ErrorClass } from "./abi.ts";
import { type CapabilityService, type ServiceBody, ServiceRefusal } from "./capability_service.ts";
import { type AskMessage, HostLine, LINE_BYTES_MAX, newLine } from "./host_line.ts";

const NOTHING = new Uint8Array(0);

interface Visit {
  readonly signal: AbortController;
  /** What was sent ahead of a request. */
  sent: Bytes;
  sentLength: number;
  /** What is left of the last response, by import module. */
  readonly bodies: Map<string, ServiceBody>;
}

/** Where the questions of one instance arrive, during a call. Nothing of one call is left in the next one. */
export class ServiceDesk {
  readonly buffer = newLine();
  readonly #line = new HostLine(this.buffer);
  #visit: Visit | undefined;

  /** @param services By import module */
  constructor(readonly services: ReadonlyMap<string, CapabilityService>) {}

  begin(): void {
    this.#visit = { signal: new AbortController(), sent: NOTHING, sentLength: 0, bodies: new Map() };
  }

  /** What is still asked is answered as `cancelled`. */
  cancel(): void {
    this.#visit?.signal.abort();
  }

  end(): void {
    this.cancel();
    for (const body of this.#visit?.bodies.values() ?? []) body.cancel();
    this.#visit = undefined;
  }

  async receive({ module, question }: AskMessage): Promise<void> {
    const visit = this.#visit, service = this.services.get(module);
    if (visit === undefined || service === undefined) return this.#refuse("capability_denied", `no ${module} here`);
    try {
      switch (question.step) {
        case "body":
          this.#take(visit, service, question.length, question.total);
          return this.#line.answer(0);
        case "send":
          return this.#line.answer(0, await this.#send(visit, service, module, question.request));
        case "read":
          return this.#line.answer(0, await visit.bodies.get(module)?.read(Math.min(question.length, LINE_BYTES_MAX)));
      }
    } catch (error) {
      if (visit.signal.signal.aborted) return this.#refuse("cancelled", "nobody waits any more");
      if (error instanceof ServiceRefusal) return this.#refuse(error.failure, error.message);
      return this.#refuse(isKind(error, "interrupted") ? "cancelled" : "internal", "the host failed");
    }
  }

  #take(visit: Visit, service: CapabilityService, length: number, total: number): void {
    if (total > service.bodyBytesMax) {
      throw new ServiceRefusal("quota", `${total} bytes are more than the ${service.bodyBytesMax} of one request`);
    }
    if (visit.sent.length !== total) [visit.sent, visit.sentLength] = [new Uint8Array(total), 0];
    visit.sent.set(this.#line.dataOf(Math.min(length, total - visit.sentLength)), visit.sentLength);
    visit.sentLength += length;
  }

  async #send(visit: Visit, service: CapabilityService, module: string, request: string): Promise<Bytes> {
    const body = visit.sent;
    [visit.sent, visit.sentLength] = [NOTHING, 0];
    visit.bodies.get(module)?.cancel();
    visit.bodies.delete(module);
    const answer = await service.answer(jsonOf(request), body, visit.signal.signal);
    if (answer.body !== undefined) {
      if (visit.signal.signal.aborted) answer.body.cancel();
      visit.bodies.set(module, answer.body);
    }
    return answer.response;
  }

  #refuse(failure: ErrorClass, message: string): void {
    this.#line.answer(ERROR_CLASSES.indexOf(failure), utf8(message.slice(0, 1000)));
  }
}

function jsonOf(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    throw new ServiceRefusal("invalid_input", "the request is not JSON");
  }
}
