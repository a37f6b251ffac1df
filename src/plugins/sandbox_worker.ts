/** Entry of the worker in which a plugin runs: started with no permission at all, owned by a `PluginInstance`. */
import "./blank_environment.ts";
import { free } from "../base/bytes.ts";
import { Sandbox } from "./sandbox.ts";
import type { FromSandbox, ToSandbox } from "./sandbox_protocol.ts";

const scope = self as unknown as {
  postMessage(message: FromSandbox, transfer: Transferable[]): void;
  onmessage: ((event: MessageEvent<ToSandbox>) => void) | null;
};

const sandbox = new Sandbox((message) => scope.postMessage(message, []));
scope.onmessage = async ({ data }) => {
  const answer = data.type === "load" ? await sandbox.load(data) : await sandbox.run(data);
  if (data.type === "call") free(data.input);
  scope.postMessage(answer, answer.type === "done" ? [answer.output.buffer] : []);
};
