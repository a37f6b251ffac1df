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
  /** What becomes of the answer to a GET of what begins at `offset`. */
  forge?: (answer: Response, offset: number) => Response;
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
    const { data, etag, status, forge = (answer) => answer } = document;
    if (status !== undefined) return new Response(null, { status });
    const wanted = headers.get("if-match"), about: Record<string, string> = etag === undefined ? {} : { etag };
    if (wanted !== null && wanted !== etag) return new Response(null, { status: 412 });
    if (method === "HEAD") return new Response(null, { headers: { ...about, "content-length": `${data.length}` } });
    if (range === null || etag === undefined) return forge(new Response(data, { headers: about }), 0);
    const from = Number(range[1]), part = data.slice(from, Number(range[2]) + 1), total = data.length;
    if (from >= total) return new Response(null, { status: 416, headers: { "content-range": `bytes */${total}` } });
    const contentRange = `bytes ${from}-${from + part.length - 1}/${total}`;
    return forge(new Response(part, { status: 206, headers: { ...about, "content-range": contentRange } }), from);
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
function open(
  from: Api,
  use: (call: SourceCall) => Promise<void>,
  configuration: Record<string, string> = from.settings.configuration,
): Promise<void> {
  return withPlugin("source_http", { ...from.settings, configuration }, ({ plugin: { manifest, sha256 }, pool }) => {
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
      await rejects(Array.fromAsync(readStream(stream, call)), /unsupported: it is long and has no strong ETag/);
    });
  });
});

const LONG = noise(2_500_000), PART = 1_048_576;

function withHeader(name: string, value: string | undefined): Document["forge"] {
  return (answer) => {
    if (value === undefined) answer.headers.delete(name);
    else answer.headers.set(name, value);
    return answer;
  };
}

function withRange(from: number, to: number, total: number | "*"): Document["forge"] {
  return withHeader("content-range", `bytes ${from}-${to}/${total}`);
}

Deno.test("source_http takes no part that is not surely the one of this version that it asked for", async (t) => {
  const whole = () => new Response(LONG, { headers: { etag: '"one"' } });
  const other = () => new Response(LONG.slice(0, PART), { headers: { etag: '"two"' } });
  const unsatisfied = () => new Response(null, { status: 416, headers: { "content-range": "bytes */0" } });
  const cases: [name: string, forge: Document["forge"], message: RegExp][] = [
    ["another ETag", withHeader("etag", '"two"'), /conflict: it is "one", and the server answers with "two"$/],
    ["no ETag", withHeader("etag", undefined), /conflict: .* answers with no ETag$/],
    ["a weak ETag", withHeader("etag", 'W/"one"'), /conflict: .* answers with W\/"one"$/],
    ["another begin", withRange(0, PART - 1, 2_500_000), /permanent: the server answers 206 .* Content-Range bytes 0-/],
    ["another end", withRange(PART, 2 * PART, 2_500_000), /permanent: .* Content-Range bytes 1048576-2097152\//],
    ["another length", withRange(PART, 2 * PART - 1, 2_500_001), /conflict: it had 2500000 bytes, and has 2500001$/],
    ["an unknown length", withRange(PART, 2 * PART - 1, "*"), /permanent: .* Content-Range bytes .*\/\*$/],
    ["no Content-Range", withHeader("content-range", undefined), /permanent: .* no Content-Range$/],
    ["several parts", withHeader("content-type", "multipart/byteranges; boundary=x"), /permanent: /],
    ["gzip", withHeader("content-encoding", "gzip"), /unsupported: the server encodes it, .*: gzip$/],
    ["all of it", whole, /unsupported: it is long, and the server gives no parts of it$/],
    ["all of another version", other, /conflict: /],
    ["nothing any more", unsatisfied, /conflict: it had 2500000 bytes, and has 0$/],
  ];
  for (const [name, forge, message] of cases) {
    await t.step(name, async () => {
      await using from = api();
      const second: Document["forge"] = (answer, offset) => offset === PART ? forge!(answer, offset) : answer;
      from.documents.set("exports/shop.sql", { data: LONG, etag: '"one"', forge: second });
      await open(from, async (call) => {
        const stream = (await listStreams(call))[2];
        await rejects(Array.fromAsync(readStream(stream, call)), (error) => {
          match((error as Error).message, message);
          return error instanceof PluginFailure;
        });
      });
    });
  }
});

Deno.test("source_http refuses an encoded document and takes parts that are shorter than it asked for", async () => {
  await using from = api();
  from.documents.set("users", { data: utf8("x"), forge: withHeader("content-encoding", "gzip") });
  const halved: Document["forge"] = (answer, offset) => {
    if (offset !== PART) return answer;
    answer.headers.set("content-range", `bytes ${PART}-${PART + 999}/2500000`);
    return new Response(LONG.slice(PART, PART + 1000), { status: 206, headers: answer.headers });
  };
  from.documents.set("exports/shop.sql", { data: LONG, etag: '"one"', forge: halved });
  await open(from, async (call) => {
    const [users, , shop] = await listStreams(call);
    await rejects(Array.fromAsync(readStream(users, call)), /unsupported: the server encodes it/);
    deepEqual(concat(await Array.fromAsync(readStream(shop, call))), LONG);
  });
});

Deno.test("source_http has no list without options, or with two of them in one", async (t) => {
  const url = "https://api.example/", documents = "users";
  const joined = /invalid_input: its option \w+ has another option in it; each is an item/;
  const cases: [name: string, isMalformed: boolean, Record<string, string>, message: RegExp][] = [
    [
      "neither",
      false,
      {},
      /invalid_input: its option url is not set; plugins\.options has both, such as \["source_http/,
    ],
    ["no url", false, { documents }, /invalid_input: its option url is not set/],
    ["no documents", false, { url }, /invalid_input: its option documents is not set/],
    ["documents of blanks", false, { url, documents: "  " }, /invalid_input: its option documents is not set/],
    ["documents in url", true, { url: `${url},source_http.documents=users` }, joined],
    ["url in documents", true, { url, documents: `users,source_http.url=${url}` }, joined],
    ["no address", true, { url: "api.example", documents }, /invalid_input: .* is no address of a web server/],
  ];
  for (const [name, isMalformed, configuration, message] of cases) {
    await t.step(name, async () => {
      await using from = api();
      await open(from, async (call) => {
        await rejects(listStreams(call), message);
        if (isMalformed) await rejects(call({ verb: "validate" }, () => {}), message);
        else await call({ verb: "validate" }, () => {}); // it can be loaded before it is told
      }, configuration);
    });
  }
});
