import { deepStrictEqual as deepEqual, match, rejects, strictEqual as equal } from "node:assert/strict";
import { systemClock } from "../src/base/clock.ts";
import { PluginFailure } from "../src/plugins/plugin_failure.ts";
import { hostServices } from "../src/plugins/services/host_services.ts";
import { withPlugin } from "./opened.ts";

const EVENT = { event: "backup_ended", status: "WARNING", message: 'skipped "a"\nand ü', files: 3 };

interface Seen {
  method: string;
  path: string;
  type: string | null;
  body: string;
}

/** Tells a server of `event` and returns what it saw. */
async function told(
  configuration: Record<string, unknown>,
  event: Record<string, unknown>,
  status = 204,
): Promise<Seen[]> {
  const seen: Seen[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const { method, url, headers } = request;
    seen.push({ method, path: new URL(url).pathname, type: headers.get("content-type"), body: await request.text() });
    return new Response(null, { status });
  });
  const host = `127.0.0.1:${server.addr.port}`;
  try {
    const settings = {
      configuration: { url: `http://${host}/hook`, ...configuration },
      granted: [{ name: "net.http", hosts: [host], methods: ["POST"] }] as const,
      services: hostServices({ stateFolder: undefined, clock: systemClock }),
    };
    await withPlugin("notification_webhook", settings, async ({ pool }) => {
      const { result } = await pool.call({ verb: "execute", operation: "run", parameters: event });
      equal(JSON.parse(result!).status, "SUCCESS");
    });
  } finally {
    await server.shutdown();
  }
  return seen;
}

Deno.test("notification_webhook posts what happened, in the form that is wanted", async (t) => {
  const line = `AXIOM backup_ended, WARNING: ${EVENT.message}`;
  const cases = [
    { format: "json", body: EVENT },
    { format: "slack", body: { text: line } },
    { format: "discord", body: { content: line } },
  ];
  for (const { format, body } of cases) {
    await t.step(format, async () => {
      const [request] = await told({ format }, EVENT);
      deepEqual([request.method, request.path, request.type], ["POST", "/hook", "application/json"]);
      deepEqual(JSON.parse(request.body), body);
    });
  }
});

Deno.test("notification_webhook keeps quiet of what went well where only problems are wanted", async () => {
  equal((await told({ only_problems: true }, { ...EVENT, status: "SUCCESS" })).length, 0);
  equal((await told({ only_problems: true }, EVENT)).length, 1);
});

Deno.test("notification_webhook says whether a later try may help", async () => {
  for (const [status, failure] of [[503, "transient"], [429, "transient"], [404, "permanent"]] as const) {
    await rejects(told({}, EVENT, status), (error) => {
      equal(error instanceof PluginFailure && error.failure, failure);
      match(String(error), new RegExp(`the server answers ${status}`));
      return true;
    });
  }
});

Deno.test("notification_webhook cuts what Discord would refuse", async () => {
  const [{ body }] = await told({ format: "discord" }, { ...EVENT, message: "x".repeat(4096) });
  equal(JSON.parse(body).content.length, 2000);
});
