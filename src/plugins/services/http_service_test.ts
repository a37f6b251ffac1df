/** Requests of plugins to real servers on this machine. */
import { deepStrictEqual as deepEqual, match, ok, rejects, strictEqual as equal } from "node:assert/strict";
import { fromUtf8, KIB, MIB, utf8 } from "../../base/bytes.ts";
import { systemClock } from "../../base/clock.ts";
import { AxiomError } from "../../base/errors.ts";
import type { Capability } from "../capabilities.ts";
import type { InstancePool } from "../instance_pool.ts";
import { PluginFailure } from "../plugin_failure.ts";
import { deliver, withCourier } from "./courier_fixture.ts";
import { hostServices } from "./host_services.ts";
import type { HttpSettings } from "./http_service.ts";
import { AUTHORITY, CERTIFICATE, PRIVATE_KEY } from "./tls_fixture.ts";

const ALL = ["GET", "HEAD", "PUT", "POST", "DELETE", "PROPFIND"];

interface Case {
  readonly grant?: Partial<Capability>;
  readonly http?: HttpSettings;
  readonly callMs?: number;
}

/** Without a grant for hosts, what is granted is the server by its address. */
async function withPlugin(
  port: number,
  { grant, http, callMs }: Case,
  use: (pool: InstancePool, at: string) => Promise<void>,
): Promise<void> {
  const granted = { name: "net.http", hosts: [`127.0.0.1:${port}`], methods: ALL, ...grant } as const;
  const { private: _, ...asked } = granted;
  const services = hostServices({ stateFolder: undefined, clock: systemClock, http });
  const more = { grants: [granted], callMs, instancesMax: 2 };
  await withCourier(asked, services, (pool) => use(pool, `http://127.0.0.1:${port}`), more);
}

type Handler = (request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>) => Response | Promise<Response>;

async function withServer(handler: Handler, use: (port: number) => Promise<void>, tls: object = {}): Promise<void> {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {}, ...tls }, handler);
  try {
    await use(server.addr.port);
  } finally {
    await server.shutdown();
  }
}

/** Sends the same bytes to everybody, whatever they want. */
async function withRawServer(
  answer: (connection: Deno.Conn) => Promise<void>,
  use: (port: number) => Promise<void>,
): Promise<void> {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const open = new Set<Deno.Conn>();
  const serving = (async () => {
    for await (const connection of listener) {
      open.add(connection);
      void answer(connection).catch(() => {});
    }
  })();
  try {
    await use(listener.addr.port);
  } finally {
    listener.close();
    await serving;
    for (const connection of open) {
      try {
        connection.close();
      } catch { /* it is closed */ }
    }
  }
}

const says = (text: string) => async (connection: Deno.Conn) => {
  await connection.read(new Uint8Array(64 * KIB));
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
  connection.closeWrite();
};

const failing = (failure: string, text: RegExp) => (error: unknown) => {
  equal(error instanceof PluginFailure && error.failure, failure, String(error));
  match((error as Error).message, text);
  return true;
};

Deno.test("a plugin sends requests and reads responses, over few connections", async () => {
  const ports = new Set<number>();
  const echo: Handler = async (request, { remoteAddr }) => {
    ports.add(remoteAddr.port);
    const body = await request.bytes();
    const headers = { "x-method": request.method, "x-path": new URL(request.url).pathname, "x-a": "1" };
    return new Response(body.length > 0 ? body : JSON.stringify([...request.headers]), { status: 201, headers });
  };
  await withServer(echo, (port) =>
    withPlugin(port, {}, async (pool, at) => {
      const body = new Uint8Array(3 * MIB + 5).map((_, i) => (i * 31) & 0xff);
      const put = await deliver(pool, { method: "PUT", url: `${at}/a%20b?c=d`, headers: {} }, body);
      equal(put.class, 0);
      deepEqual([put.response.status, put.response.headers["x-path"]], [201, "/a%20b"]);
      deepEqual(put.body, body);
      const forged = { Host: "evil.example", Connection: "close", "Transfer-Encoding": "chunked", "X-Own": "yes" };
      const get = await deliver(pool, { method: "GET", url: at, headers: forged });
      const seen = Object.fromEntries(JSON.parse(fromUtf8(get.body)));
      deepEqual([seen.host, seen["x-own"], seen.connection], [`127.0.0.1:${port}`, "yes", undefined]);
      const head = await deliver(pool, { method: "HEAD", url: at });
      deepEqual([head.response.status, head.body.length], [201, 0]);
      for (let i = 0; i < 20; i++) equal((await deliver(pool, { method: "GET", url: at })).response.status, 201);
      ok(ports.size <= 2, `${ports.size} connections`);
    }));
});

Deno.test("a redirect is an answer, and nobody goes there", async () => {
  let visits = 0;
  const handler: Handler = (request) => {
    visits++;
    return new Response(null, { status: 302, headers: { location: new URL("/elsewhere", request.url).href } });
  };
  await withServer(handler, (port) =>
    withPlugin(port, {}, async (pool, at) => {
      const { response } = await deliver(pool, { method: "GET", url: at });
      deepEqual([response.status, response.headers.location], [302, `${at}/elsewhere`]);
      equal(visits, 1);
    }));
});

Deno.test("what was not granted ends the call, and no request is made", async (t) => {
  let visits = 0;
  const handler: Handler = () => {
    visits++;
    return new Response("here");
  };
  await withServer(handler, async (port) => {
    const toPrivate = (...addresses: string[]): HttpSettings => ({ resolve: () => Promise.resolve(addresses) });
    const named = { hosts: [`public.example:${port}`, `*.public.example:${port}`] };
    const cases: { name: string; text: RegExp; request: object; grant?: Partial<Capability>; http?: HttpSettings }[] = [
      { name: "another host", request: { url: "https://other.example" }, text: /other\.example:443, which was not/ },
      { name: "another port", request: { url: "http://127.0.0.1:1" }, text: /127\.0\.0\.1:1, which was not granted/ },
      { name: "another method", grant: { methods: undefined }, request: { method: "PUT" }, text: /PUT, and only GET/ },
      { name: "a method that nobody can grant", request: { method: "TRACE" }, text: /it sent TRACE/ },
      { name: "a name for this machine", grant: named, http: toPrivate("127.0.0.1"), request: {}, text: /private/ },
      { name: "a mapped address", grant: named, http: toPrivate("::ffff:127.0.0.1"), request: {}, text: /private/ },
      { name: "metadata of a cloud", grant: named, http: toPrivate("169.254.169.254"), request: {}, text: /private/ },
      {
        name: "an address under a wildcard",
        grant: { hosts: [`*.0.0.1:${port}`] },
        request: { url: `http://127.0.0.1:${port}` },
        text: /which was not granted/,
      },
      {
        name: "the domain of a wildcard itself",
        grant: { hosts: [`*.example:${port}`] },
        request: { url: `http://example:${port}` },
        text: /which was not granted/,
      },
    ];
    for (const { name, request, grant, http, text } of cases) {
      await t.step(name, () =>
        withPlugin(port, { grant, http }, async (pool, at) => {
          const url = grant?.hosts === named.hosts ? `http://public.example:${port}/` : at;
          await rejects(deliver(pool, { method: "GET", url, ...request }), failing("capability_denied", text));
        }));
    }
    equal(visits, 0);
  });
});

Deno.test("a name is looked up once, and the address that was judged is the one that is used", async () => {
  await withServer(() => new Response("here"), async (port) => {
    let lookups = 0;
    const http = { resolve: () => Promise.resolve(lookups++ === 0 ? ["127.0.0.1"] : ["192.0.2.1"]) };
    const grant = { hosts: [`nas.example:${port}`], private: true } as const;
    await withPlugin(port, { grant, http }, async (pool) => {
      const { class: answer, body } = await deliver(pool, { method: "GET", url: `http://nas.example:${port}` });
      deepEqual([answer, fromUtf8(body), lookups], [0, "here", 1]);
    });
    await withPlugin(port, { grant: { hosts: [`localhost:${port}`] } }, async (pool) => {
      equal((await deliver(pool, { method: "GET", url: `http://localhost:${port}` })).class, 0);
    });
  });
});

Deno.test("requests that are none are invalid_input", async () => {
  await withPlugin(1, {}, async (pool, at) => {
    const requests = [
      [],
      {},
      { method: "GET" },
      { method: "GET", url: "127.0.0.1" },
      { method: "GET", url: "file:///etc/passwd" },
      { method: "GET", url: "http://u:p@127.0.0.1:1/" },
      { method: "GET", url: at, headers: { "a b": "c" } },
      { method: "GET", url: at, headers: { a: "b\r\nhost: evil" } },
      { method: "GET", url: at, headers: { a: 1 } },
      { method: "GET", url: at, headers: [] },
    ];
    for (const request of requests) equal((await deliver(pool, request)).class, 1, JSON.stringify(request));
    equal((await deliver(pool, { method: "GET", url: at, headers: { a: "b".repeat(64 * KIB) } })).class, 8);
    const refused = await deliver(pool, { method: "GET", url: at });
    deepEqual([refused.class, /connection failed/.test(refused.response.message)], [7, true]);
  });
  const http = { resolve: () => Promise.reject(new Error("no such name")) };
  await withPlugin(1, { grant: { hosts: ["none.example"] }, http }, async (pool) => {
    equal((await deliver(pool, { method: "GET", url: "https://none.example" })).class, 9);
  });
});

Deno.test("a server that does not answer costs a plugin its call, and nobody else's", async () => {
  const closed = Promise.withResolvers<void>();
  const silent = async (connection: Deno.Conn) => {
    while (await connection.read(new Uint8Array(1000)) !== null);
    closed.resolve();
  };
  await withRawServer(silent, (port) =>
    withPlugin(port, { callMs: 300 }, async (pool, at) => {
      await rejects(deliver(pool, { method: "GET", url: at }), failing("deadline", /within 300 ms/));
      await closed.promise;
      await pool.call({ verb: "validate" });
    }));
});

Deno.test("a caller that leaves ends the request", async () => {
  const closed = Promise.withResolvers<void>(), asked = Promise.withResolvers<void>();
  const silent = async (connection: Deno.Conn) => {
    while (await connection.read(new Uint8Array(1000)) !== null) asked.resolve();
    closed.resolve();
  };
  await withRawServer(silent, (port) =>
    withPlugin(port, {}, async (pool, at) => {
      const leaving = new AbortController();
      const call = deliver(pool, { method: "GET", url: at }, undefined, leaving.signal);
      await asked.promise;
      leaving.abort();
      await rejects(call, (error) => error instanceof AxiomError && error.kind === "interrupted");
      await closed.promise;
      await pool.call({ verb: "validate" });
    }));
});

Deno.test("a response without end, and one that is larger than allowed, end the call as quota", async () => {
  const endless = async (connection: Deno.Conn) => {
    await connection.read(new Uint8Array(1000));
    await connection.write(utf8("HTTP/1.1 200 OK\r\n\r\n"));
    for (const zeros = new Uint8Array(MIB);;) await connection.write(zeros);
  };
  await withRawServer(endless, (port) =>
    withPlugin(port, {}, async (pool, at) => {
      const told = deliver(pool, { method: "GET", url: at }).then(({ class: answer, response, body }) => {
        throw new Error(`it ended: ${answer} ${JSON.stringify(response)} ${body.length}`);
      });
      await rejects(told, failing("quota", /longer than 83886080 bytes/));
    }));
});

Deno.test("answers that are no HTTP, or break off, are not taken for whole ones", async (t) => {
  const ok200 = "HTTP/1.1 200 OK\r\n";
  const cases: { name: string; text: string; class?: number; failure?: string }[] = [
    { name: "a header of 64 KiB", text: `${ok200}x: ${"a".repeat(64 * KIB)}\r\n\r\n`, class: 8 },
    { name: "headers without end", text: ok200 + "x: y\r\n".repeat(20_000), class: 8 },
    { name: "another protocol", text: "SSH-2.0-OpenSSH\r\n", class: 9 },
    { name: "nothing", text: "", class: 7 },
    { name: "half of the headers", text: `${ok200}content-le`, class: 7 },
    { name: "two lengths", text: `${ok200}content-length: 1\r\ncontent-length: 2\r\n\r\nab`, class: 9 },
    { name: "a length that is none", text: `${ok200}content-length: -1\r\n\r\n`, class: 9 },
    { name: "a folded header", text: `${ok200}x: y\r\n z\r\n\r\n`, class: 9 },
    { name: "a control character", text: `${ok200}x: \x01\r\n\r\n`, class: 9 },
    { name: "an unknown coding", text: `${ok200}transfer-encoding: gzip, chunked\r\n\r\n`, class: 9 },
    { name: "another protocol from now on", text: "HTTP/1.1 101 Switching\r\n\r\n", class: 9 },
    { name: "interim answers without end", text: "HTTP/1.1 103 Early\r\n\r\n".repeat(50), class: 9 },
    { name: "a short body", text: `${ok200}content-length: 9\r\n\r\nabc`, failure: "transient" },
    {
      name: "chunks without a last one",
      text: `${ok200}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n`,
      failure: "transient",
    },
    {
      name: "a chunk that is longer",
      text: `${ok200}transfer-encoding: chunked\r\n\r\n2\r\nabc\r\n`,
      failure: "permanent",
    },
    { name: "a chunk without length", text: `${ok200}transfer-encoding: chunked\r\n\r\nzz\r\n`, failure: "permanent" },
    { name: "a negative chunk", text: `${ok200}transfer-encoding: chunked\r\n\r\n-5\r\n`, failure: "permanent" },
  ];
  for (const { name, text, class: wanted, failure } of cases) {
    await t.step(name, () =>
      withRawServer(says(text), (port) =>
        withPlugin(port, {}, async (pool, at) => {
          const delivery = deliver(pool, { method: "GET", url: at });
          if (failure !== undefined) await rejects(delivery, failing(failure, /processing_courier 1\.2\.3/));
          else equal((await delivery).class, wanted);
        })));
  }
});

Deno.test("bodies of every form arrive whole", async (t) => {
  const cases = [
    ["with a length", "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc"],
    ["up to the end of the connection", "HTTP/1.0 200\r\n\r\nabc"],
    ["in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1;x=y\r\na\r\n2\r\nbc\r\n0\r\nt: u\r\n\r\n"],
    ["after interim answers", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc"],
  ];
  for (const [name, text] of cases) {
    await t.step(name, () =>
      withRawServer(says(text), (port) =>
        withPlugin(port, {}, async (pool, at) => {
          const { class: answer, response, body } = await deliver(pool, { method: "GET", url: at });
          deepEqual([answer, response.status, fromUtf8(body)], [0, 200, "abc"]);
        })));
  }
});

Deno.test("credentials go to the host that they are for, and nowhere else", async () => {
  const header = "Basic dXNlcjpzM2NyM3Q=", secrets = [header, "dXNlcjpzM2NyM3Q=", "user:s3cr3t", "s3cr3t"];
  const echo: Handler = (request) => {
    const authorization = request.headers.get("authorization") ?? "none";
    return new Response(authorization === header ? "let in" : "kept out", {
      headers: { "x-echo": `you sent ${authorization}` },
    });
  };
  await withServer(echo, async (port) => {
    const credentialOf = (host: string) => Promise.resolve(host === "127.0.0.1" ? { header, secrets } : undefined);
    const grant = { hosts: [`127.0.0.1:${port}`, `localhost:${port}`, `far.example:${port}`] };
    const resolve = (host: string) => Promise.resolve([host === "localhost" ? "127.0.0.1" : "8.8.8.8"]);
    await withPlugin(port, { grant, http: { credentialOf, resolve } }, async (pool, at) => {
      const own = { authorization: "Basic of-its-own" };
      const { response, body } = await deliver(pool, { method: "GET", url: at, headers: own });
      equal(fromUtf8(body), "let in");
      equal(response.headers["x-echo"], "you sent ***");
      const other = await deliver(pool, { method: "GET", url: `http://localhost:${port}` });
      equal(fromUtf8(other.body), "kept out");
    });
    const always = { credentialOf: () => Promise.resolve({ header, secrets }), resolve };
    await withPlugin(port, { grant, http: always }, async (pool) => {
      const { class: answer, response } = await deliver(pool, { method: "GET", url: `http://far.example:${port}` });
      equal(answer, 9);
      match(response.message, /credentials for far\.example are not sent without encryption/);
      equal(secrets.some((secret) => JSON.stringify(response).includes(secret)), false);
    });
  });
});

Deno.test("a server has to prove its name, by authorities that are trusted", async () => {
  await withServer(() => new Response("here"), async (port) => {
    const resolve = () => Promise.resolve(["127.0.0.1"]);
    const grant = { hosts: [`nas.example:${port}`, `other.example:${port}`], private: true } as const;
    await withPlugin(port, { grant, http: { resolve } }, async (pool) => {
      const { class: answer, response } = await deliver(pool, { method: "GET", url: `https://nas.example:${port}` });
      equal(answer, 9);
      match(response.message, /its server is not trusted: .*UnknownIssuer/);
    });
    await withPlugin(port, { grant, http: { resolve, certificates: [AUTHORITY] } }, async (pool) => {
      for (let i = 0; i < 3; i++) {
        const { class: answer, body } = await deliver(pool, { method: "GET", url: `https://nas.example:${port}` });
        deepEqual([answer, fromUtf8(body)], [0, "here"]);
      }
      const other = await deliver(pool, { method: "GET", url: `https://other.example:${port}` });
      equal(other.class, 9);
      match(other.response.message, /its server is not trusted/);
    });
  }, { cert: CERTIFICATE, key: PRIVATE_KEY });
});
