import { deepStrictEqual as deepEqual } from "node:assert/strict";
import { HostLine, newLine } from "./host_line.ts";

Deno.test("an answer is waited for though the one before wakes late", async () => {
  const code = `
    const { GuestLine } = await import(${JSON.stringify(new URL("./host_line.ts", import.meta.url).href)});
    self.onmessage = ({ data }) => {
      const line = new GuestLine(data, (message) => self.postMessage(message));
      const { value, data: answer } = line.ask("axiom:host/http@1", { step: "read", length: 3 });
      self.postMessage({ value, answer });
    };
    self.postMessage("ready");`;
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(code)}`, {
    type: "module",
    deno: { permissions: "none" },
  });
  try {
    const next = () => new Promise<unknown>((resolve) => worker.onmessage = ({ data }) => resolve(data));
    await next();
    const buffer = newLine(), asked = next();
    worker.postMessage(buffer);
    await asked;
    const told = next(), state = new Int32Array(buffer);
    for (let i = 0; i < 20; i++) {
      Atomics.notify(state, 0);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    new HostLine(buffer).answer(7, Uint8Array.of(1, 2, 3));
    deepEqual(await told, { value: 7, answer: Uint8Array.of(1, 2, 3) });
  } finally {
    worker.terminate();
  }
});
