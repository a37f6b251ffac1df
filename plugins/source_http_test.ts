import { deepStrictEqual as deepEqual, match, rejects, strictEqual as equal } from "node:assert/strict";
import { type Bytes, concat, utf8 } from "../src/base/bytes.ts";
import { systemClock } from "../src/base/clock.ts";
import { testPlugin } from "../src/plugins/conformance.ts";
import { noise } from "../src/plugins/conformance_samples.ts";
import { PluginFailure } from "../src/plugins/plugin_failure.ts";
import { hostServices } from "../src/plugins/services/host_services.ts";
import { listStreams, readStream, type SourceCall } from "../src/plugins/wasm_source.ts";
import { withPlugin } from "./opened.ts";

interface Document {
  data: Bytes;
  etag?: string;
  /** Instead of the document. */
  status?: number;
}

class Api implements AsyncDisposable {
  readonly documents = new Map<string, Document>();
  readonly seen: string[] = [];
  readonly #server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    (request) => this.#answer(request),
  );

  get settings() {
    const host = `127.0.0.1:${this.#server.addr.port}`;
    return {
      configuration: { url: `http://${host}/v1/`, documents: [...this.documents.keys()].join(" ") },
      granted: [{ name: "net.http", hosts: [host], methods: ["GET", "HEAD"] }] as const,
      services: hostServices({ stateFolder: undefined, clock: systemClock }),
    };
  }

  #answer({ method, url, headers }: Request): Response {
    const { pathname, search } = new URL(url), name = (pathname + search).slice("/v1/".length);
    const range = /^bytes=(\d+)-(\d+)$/.exec(headers.get("range") ?? "");
    this.seen.push(`${method} ${name}${range === null ? "" : ` ${range[1]}`}`);
    const document = this.documents.get(name);
    if (document === undefined) return new Response(null, { status: 404 });
    const { data, etag, status } = document;
    if (status !== undefined) return new Response(null, { status });
    const wanted = headers.get("if-match"), about: Record<string, string> = etag === undefined ? {} : { etag };
    if (wanted !== null && wanted !== etag) return new Response(null, { status: 412 });
    if (method === "HEAD") return new Response(null, { headers: { ...about, "content-length": `${data.length}` } });
    if (range === null || etag === undefined) return new Response(data, { headers: about });
    if (Number(range[1]) >= data.length) return new Response(null, { status: 416 });
    return new Response(data.slice(Number(range[1]), Number(range[2]) + 1), { status: 206, headers: about });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server.shutdown();
  }
}

function api(): Api {
  const made = new Api();
  made.documents.set("users", { data: utf8('[{"name":"Ann"}]\n') });
  made.documents.set("issues?state=all", { data: utf8("[]") });
  made.documents.set("exports/shop.sql", { data: noise(2_500_000), etag: '"one"' });
  made.documents.set("empty", { data: new Uint8Array(0), etag: '"none"' });
  return made;
}

/** The plugin as AXIOM calls it. */
function open(from: Api, use: (call: SourceCall) => Promise<void>): Promise<void> {
  return withPlugin("source_http", from.settings, ({ plugin: { manifest, sha256 }, pool }) => {
    const plugin = { pluginId: manifest.pluginId, version: manifest.version, sha256 };
    return use(async (call, take) => take(await pool.call(call), plugin));
  });
}

Deno.test("source_http keeps every rule of a source, with a server that it may reach", async () => {
  await using from = api();
  await withPlugin("source_http", from.settings, async ({ plugin }) => {
    const findings = await testPlugin(plugin, { ...from.settings, clock: systemClock });
    deepEqual(findings.filter(({ state }) => state !== "ok"), []);
  });
});

Deno.test("source_http gives documents, those with an ETag part by part and of one version", async () => {
  await using from = api();
  await open(from, async (call) => {
    const streams = await listStreams(call);
    deepEqual(streams.map(({ name, sizeBytes, version }) => [name, sizeBytes, version]), [
      ["users", undefined, undefined],
      ["issues?state=all", undefined, undefined],
      ["exports_shop.sql", 2_500_000, '"one"'],
      ["empty", 0, '"none"'],
    ]);
    for (const [i, { data }] of [...from.documents.values()].entries()) {
      deepEqual(concat(await Array.fromAsync(readStream(streams[i], call))), data);
    }
    const parts = from.seen.filter((each) => each.startsWith("GET exports"));
    deepEqual(parts.map((each) => each.split(" ")[2]), ["0", "1048576", "2097152"]);
    from.documents.set("exports/shop.sql", { data: noise(2_500_000, 2), etag: '"two"' });
    await rejects(Array.fromAsync(readStream(streams[2], call)), (error) => {
      match((error as Error).message, /conflict: the server answers 412/);
      return error instanceof PluginFailure;
    });
  });
});

Deno.test("source_http says what a server's answer means", async (t) => {
  const cases = [
    [401, "auth"],
    [404, "not_found"],
    [429, "transient"],
    [503, "transient"],
    [400, "permanent"],
  ] as const;
  for (const [status, failure] of cases) {
    await t.step(`${status}`, async () => {
      await using from = api();
      await open(from, async (call) => {
        const [stream] = await listStreams(call);
        from.documents.set("users", { data: utf8("x"), status });
        await rejects(Array.fromAsync(readStream(stream, call)), (error) => {
          equal((error as PluginFailure).failure, failure);
          return true;
        });
      });
    });
  }
  await t.step("a long document without an ETag", async () => {
    await using from = api();
    from.documents.set("users", { data: noise(1_048_577) });
    await open(from, async (call) => {
      const [stream] = await listStreams(call);
      await rejects(Array.fromAsync(readStream(stream, call)), /unsupported: it is long and has no ETag/);
    });
  });
});
