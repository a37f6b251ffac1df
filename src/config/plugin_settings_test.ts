import { deepStrictEqual as deepEqual, throws } from "node:assert/strict";
import { notifier } from "./plugin_settings.ts";

Deno.test("a notification names a plugin, and perhaps the outcomes that it is told of", () => {
  const all = ["success", "warning", "failure"];
  deepEqual(notifier.read("webhook", {}), { plugin: "webhook", outcomes: all });
  deepEqual(notifier.read("notification_webhook=failure,warning", {}).outcomes, ["warning", "failure"]);
  for (const wrong of ["", "Webhook", "webhook=", "webhook=never", "webhook=success,", "webhook:failure"]) {
    throws(() => notifier.read(wrong, {}), RangeError, wrong);
  }
});
