/** Source plugins feed snapshots. */
import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { systemClock } from "../../src/base/clock.ts";
import { utf8 } from "../../src/base/bytes.ts";
import { askProcesses } from "../../src/plugins/control_client.ts";
import { userIds } from "../../src/platform/host.ts";
import { type PostmanAnswer, type PostmanServer, postmanServer } from "../../src/plugins/postman_fixture.ts";
import { SOURCE_ID, streamAnswer, toySource, type ToyStream } from "../../src/plugins/toy_source_fixture.ts";
import { seededRandom } from "../fixtures/fixed.ts";
import { writePlugin } from "./plugin_fixture.ts";
import { type Ended, ended, type Machine, onMachine } from "./program.ts";

userIds(); // opens what stays open, before a test could be blamed for it

const PLACE = `/${SOURCE_ID}`;
const noise = seededRandom("streams");

async function expects(code: number, machine: Machine, ...args: string[]): Promise<Ended> {
  const done = await machine.run(args);
  equal(done.code, code, `${args.join(" ")}: ${done.stderr}${done.stdout}`);
  return done;
}

async function install(machine: Machine, server: PostmanServer, version = "1.0.0", more = {}): Promise<void> {
  const path = await writePlugin(machine, "source.wasm", toySource(server.port, version, more));
  await expects(0, machine, "plugin", "load", path);
  await expects(0, machine, "plugin", "grant", "--all", SOURCE_ID);
}

async function restored(machine: Machine): Promise<Record<string, Uint8Array>> {
  const target = machine.path("out");
  await Deno.remove(target, { recursive: true }).catch(() => {});
  await expects(0, machine, "restore", `latest:${PLACE}`, "--target", target, "--verify");
  const names = [...Deno.readDirSync(target)].map(({ name }) => name).sort();
  return Object.fromEntries(names.map((name) => [name, Deno.readFileSync(`${target}/${name}`)]));
}

function contents(streams: ReadonlyMap<string, ToyStream>): Record<string, Uint8Array> {
  return Object.fromEntries([...streams].sort().map(([name, { data }]) => [name, new Uint8Array(data)]));
}

Deno.test(
  "what a source gives is saved, alone and beside files, and comes back as it was",
  onMachine(async (machine) => {
    const streams = new Map<string, ToyStream>([
      ["shop.sql", { data: noise(5_000_000), listed: { modified_ns: "1700000000123456789", version: "7" } }],
      ["empty", { data: new Uint8Array(0) }],
      ["Ünïcødé 文件", { data: utf8("text\n") }],
      ["unknown length", { data: noise(1_048_576), listed: { length: undefined } }],
      ["skipped.tmp", { data: utf8("no") }],
    ]);
    const read: string[] = [];
    await using server = postmanServer((posted) => {
      if (posted.operation === "read") read.push(posted.header.name);
      return streamAnswer(streams, posted);
    });
    await expects(0, machine, "init");
    match((await expects(14, machine, "backup", "--source", "toy")).stderr, /no plugin source_toy is installed/);
    await install(machine, server);

    const dry = await expects(0, machine, "backup", "--source", "toy", "--dry-run", "--json");
    deepEqual([dry.last().snapshot_id, dry.last().files_new], [null, 5]);
    deepEqual((await expects(0, machine, "snapshots", "--json")).json(), []);

    const first = await expects(0, machine, "backup", "--source", "toy", "--exclude", "*.tmp");
    match(first.stdout, /Source: {3}source_toy 1\.0\.0 \([0-9a-f]{12}\) gave 4 streams of \/source_toy/);
    streams.delete("skipped.tmp");
    deepEqual(await restored(machine), contents(streams));
    const { mtime } = await Deno.stat(machine.path("out", "shop.sql"));
    equal(mtime?.getTime(), 1700000000123);
    const listed = await expects(0, machine, "ls", "--json", `latest:${PLACE}`);
    match(listed.stdout, /"1700000000123456789"|2023-11-14T22:13:20\.123456789Z/);
    equal((await expects(0, machine, "dump", `latest:${PLACE}/Ünïcødé 文件`)).stdout, "text\n");
    match((await expects(0, machine, "find", "shop*")).stdout, /source_toy\/shop\.sql/);

    read.length = 0;
    const again = (await expects(0, machine, "backup", "--source", SOURCE_ID, "--json")).last();
    deepEqual([again.files_unmodified, again.files_changed, again.files_new, again.dirs_unmodified], [4, 0, 0, 1]);
    equal(read.includes("shop.sql"), false, "it was read although its version is known");
    ok(again.bytes_added < 10_000, `${again.bytes_added} bytes for nothing new`);
    const [{ plugin_id, version, path, streams: count }] = again.sources;
    deepEqual([plugin_id, version, path, count], [SOURCE_ID, "1.0.0", PLACE, 4]);
    deepEqual(await restored(machine), contents(streams));
    await expects(0, machine, "backup", "--source", SOURCE_ID, "--force");
    ok(read.includes("shop.sql"));

    const data = streams.get("shop.sql")!.data.slice();
    data.set(utf8("changed"), 2_500_000);
    streams.set("shop.sql", { data, listed: { version: "8" } });
    const changed = (await expects(0, machine, "backup", "--source", "toy", "--json")).last();
    deepEqual([changed.files_changed, changed.files_unmodified], [1, 3]);
    ok(changed.bytes_added < 2_500_000, `${changed.bytes_added} bytes for 7 that changed`);
    deepEqual(await restored(machine), contents(streams));

    const folder = machine.path("files");
    await Deno.mkdir(folder);
    await Deno.writeTextFile(`${folder}/a`, "file");
    await expects(0, machine, "backup", "--source", "toy", folder);
    equal((await expects(0, machine, "dump", `latest:${folder}/a`)).stdout, "file");
    deepEqual(await restored(machine), contents(streams));
    deepEqual((await expects(0, machine, "snapshots", "--json")).json().at(-1).paths, [folder, PLACE].sort());
    await Deno.writeTextFile(machine.path("axiom.yaml"), `backup: { sources: [toy], paths: ["${folder}"] }\n`);
    equal((await expects(0, machine, "backup", "--json")).last().files_unmodified, 5);
    equal((await expects(0, machine, "backup", folder, "--json")).last().files_new, 1);
    await expects(0, machine, "check", "--read-data");
  }),
);

Deno.test(
  "what cannot be saved together is refused",
  onMachine(async (machine) => {
    await using server = postmanServer((posted) => streamAnswer(new Map(), posted));
    await expects(0, machine, "init");
    await install(machine, server);
    const cases: [args: string[], why: RegExp][] = [
      [["--source", "toy", "/"], /Cannot save \/ beside source_toy, which has \/source_toy/],
      [["--source", "toy", `${PLACE}/below`], /Cannot save \/source_toy\/below beside source_toy/],
      [["--source", "toy", "--stdin"], /--source stands beside a stream of its own/],
      [["--source", "compression_zstd"], /compression_zstd is for compression/],
    ];
    for (const [args, why] of cases) match((await expects(2, machine, "backup", ...args)).stderr, why);
  }),
);

/** How a stream ends after its first part, and what is told of it. */
const ENDS: readonly { name: string; answer?: PostmanAnswer; listed?: ToyStream["listed"]; why: RegExp }[][] = [
  [
    { name: "traps", answer: { failure: "traps" }, why: /trap: / },
    { name: "loops", answer: { failure: "loops" }, why: /deadline: / },
    { name: "breaks off", answer: { failure: "permanent" }, why: /permanent: / },
    { name: "vanishes", answer: { failure: "not_found" }, why: /not_found: / },
    { name: "gives too much", answer: { output: new Uint8Array(2_000_000) }, why: /quota: / },
    { name: "longer", listed: { length: 1_500_000 }, why: /it goes on after 1500000 bytes/ },
    { name: "shorter", listed: { length: 9_000_000 }, why: /it ended after 3000000 bytes, listed with 9000000/ },
  ],
  [
    { name: "1", answer: { result: "no JSON" }, why: /its result is no JSON object/ },
    { name: "2", answer: { result: { cursor: 7 } }, why: /its cursor is no text/ },
    { name: "3", answer: { result: { cursor: "more" } }, why: /it gave no byte, and says that there are more/ },
    { name: "4, after three faults", answer: {}, why: /it is in quarantine: / },
  ],
];

Deno.test(
  "(14, 38) a stream that fails in its middle is not in the snapshot, and the others are",
  onMachine(async (machine) => {
    const good = new Map<string, ToyStream>([
      ["0 good", { data: noise(3_000_000) }],
      ["0 zero", { data: new Uint8Array(0) }],
    ]);
    let bad: typeof ENDS[number] = [];
    await using server = postmanServer((posted) => {
      const { operation, header: { name, offset } } = posted;
      const answer = bad.find((each) => each.name === name)?.answer;
      if (operation === "read" && offset > 0 && answer !== undefined) return answer;
      const data = noise(3_000_000);
      return streamAnswer(
        new Map([...good, ...bad.map(({ name, listed }) => [name, { data, listed }] as const)]),
        posted,
      );
    });
    await expects(0, machine, "init");
    await install(machine, server, "1.0.0", { limits: { memory_pages: 1700, call_ms: 6000 } });
    for (bad of ENDS) {
      const done = await expects(3, machine, "backup", "--source", "toy", "--json");
      const { files_processed, files_failed, snapshot_id } = done.last();
      ok(snapshot_id !== null);
      deepEqual([files_processed, files_failed], [2, bad.length]);
      const errors = done.stdout.trim().split("\n").map((line) => JSON.parse(line)).filter(({ type }) =>
        type === "error"
      );
      for (const [i, { name, why }] of bad.entries()) {
        const told = errors.find(({ message }) => message.startsWith(`Cannot save ${PLACE}/${name}: `));
        match(told?.message ?? JSON.stringify(errors), why, `${i}`);
      }
      deepEqual(await restored(machine), contents(good));
      match((await expects(0, machine, "ls", "--faults", "latest")).stdout, new RegExp(`${PLACE}/${bad[0].name}`));
    }
    await expects(0, machine, "check", "--read-data");
    bad = [];
    await expects(0, machine, "backup", "--source", "toy");
    deepEqual(await restored(machine), contents(good));
  }),
);

Deno.test(
  "without a list, or with a hostile one, there is no snapshot",
  onMachine(async (machine) => {
    let result: PostmanAnswer = {};
    const asked: string[] = [];
    await using server = postmanServer(({ operation }) => {
      asked.push(operation);
      return operation === "list" ? result : { output: utf8("x") };
    });
    await expects(0, machine, "init");
    await install(machine, server);
    const cases: [answer: PostmanAnswer, why: RegExp][] = [
      [{ failure: "auth" }, /auth/],
      [{ failure: "traps" }, /trap: /],
      [{ result: { entries: [{ name: "../../etc/cron.d/evil" }] } }, /it has a \/ in it/],
      [{ result: { entries: [{ name: "a" }, { name: "a" }] } }, /a is there twice/],
    ];
    for (const [answer, why] of cases) {
      result = answer;
      match((await expects(14, machine, "backup", "--source", "toy")).stderr, why);
    }
    equal(asked.includes("read"), false);
    deepEqual((await expects(0, machine, "snapshots", "--json")).json(), []);

    result = { result: { entries: [{ name: "only", length: 2 }] } };
    const nothing = await expects(3, machine, "backup", "--source", "toy");
    match(nothing.stderr, /no snapshot was made/);
    deepEqual((await expects(0, machine, "snapshots", "--json")).json(), []);

    result = { result: { entries: [{ name: "only", length: 1 }] } };
    await expects(0, machine, "backup", "--source", "toy");
    result = { result: { entries: [] } };
    const empty = await expects(0, machine, "backup", "--source", "toy");
    match(empty.stderr, /\/source_toy is empty, and the snapshot before had 1 file there/);
  }),
);

Deno.test(
  "a source that cannot say what it has is lost like a path that is missing, and what stands beside it is saved",
  onMachine(async (machine) => {
    let isDown = false;
    const streams = new Map<string, ToyStream>([["a", { data: utf8("x"), listed: { version: "1" } }]]);
    const read: string[] = [];
    await using server = postmanServer((posted) => {
      if (posted.operation === "read") read.push(posted.header.name);
      return isDown && posted.operation === "list" ? { failure: "auth" } : streamAnswer(streams, posted);
    });
    await expects(0, machine, "init");
    const folder = machine.path("files");
    await Deno.mkdir(folder);
    await Deno.writeTextFile(`${folder}/a`, "file");
    await expects(14, machine, "backup", "--source", "toy", folder); // not installed: refused before it begins
    await install(machine, server);
    await expects(0, machine, "backup", "--source", "toy", folder);

    isDown = true;
    const done = await expects(3, machine, "backup", "--source", "toy", folder, "--json");
    const { files_failed, files_processed, sources } = done.last();
    deepEqual({ files_failed, files_processed, sources }, { files_failed: 1, files_processed: 1, sources: [] });
    deepEqual((await expects(0, machine, "snapshots", "--json")).json().at(-1).paths, [folder]);
    const [told] = done.stdout.trim().split("\n").map((line) => JSON.parse(line)).filter(({ type }) =>
      type === "error"
    );
    const named = `Cannot save ${PLACE}: Cannot run list of ${SOURCE_ID} 1\\.0\\.0 \\(sha256 [0-9a-f]{12}\\): auth`;
    match(told.message, new RegExp(named));
    match((await expects(0, machine, "ls", "--faults", "latest")).stdout, new RegExp(named));
    equal((await expects(0, machine, "dump", `latest:${folder}/a`)).stdout, "file");
    match(
      (await expects(1, machine, "restore", `latest:${PLACE}`, "--target", machine.path("none"))).stderr,
      new RegExp(PLACE),
    );
    match((await expects(14, machine, "backup", "--source", "toy", machine.path("none"))).stderr, /: auth/);
    equal((await expects(0, machine, "snapshots", "--json")).json().length, 2);

    isDown = false;
    read.length = 0;
    const back = (await expects(0, machine, "backup", "--source", "toy", folder, "--json")).last();
    deepEqual([back.files_unmodified, read], [2, []]);
    deepEqual(await restored(machine), contents(streams));
  }),
);

/** Whether this version serves in the one running process. */
async function serves(machine: Machine, version: string): Promise<boolean> {
  const [answer] = await askProcesses(`${machine.home}/.local/state/axiom/run`, "list", systemClock);
  return answer?.plugins.some((each) => each.pluginId === SOURCE_ID && each.isServing && each.version === version);
}

Deno.test({
  name: "a plugin that is replaced while a stream is read: that one comes from the old one, the next from the new one",
  ignore: Deno.build.os === "windows",
  fn: onMachine(async (machine) => {
    const of = (byte: number): Map<string, ToyStream> =>
      new Map(["first", "second"].map((name) => [name, { data: new Uint8Array(3_500_000).fill(byte) }]));
    const all: Record<string, Map<string, ToyStream>> = { "/1.0.0": of(1), "/2.0.0": of(2) };
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const { promise: swapped, resolve: swap } = Promise.withResolvers<void>();
    await using server = postmanServer(async (posted) => {
      const { name, offset } = posted.header;
      if (posted.operation === "read" && name === "first" && offset > 1_000_000) {
        begin();
        await swapped;
      }
      return streamAnswer(all[posted.path], posted);
    });
    await expects(0, machine, "init");
    await install(machine, server);
    const running = machine.command(["backup", "--source", "toy", "--json"]).spawn().output();
    await begun;
    const second = await writePlugin(machine, "2.wasm", toySource(server.port, "2.0.0"));
    await expects(0, machine, "plugin", "replace", second);
    await expects(0, machine, "plugin", "grant", "--all", SOURCE_ID);
    while (!await serves(machine, "2.0.0")) await new Promise((resolve) => setTimeout(resolve, 10));
    swap();
    const done = ended(await running);
    equal(done.code, 0, done.stderr);
    const { sources } = done.last();
    deepEqual(sources.map(({ version, streams }: { version: string; streams: number }) => [version, streams]), [
      ["1.0.0", 1],
      ["2.0.0", 1],
    ]);
    const [old, next] = ["/1.0.0", "/2.0.0"].map((path) => all[path]);
    deepEqual(await restored(machine), { first: contents(old).first, second: contents(next).second });
  }),
});

Deno.test({
  name: "a source that is unloaded while it is read goes on to its end, and what may work later is asked again",
  ignore: Deno.build.os === "windows",
  fn: onMachine(async (machine) => {
    const streams = new Map(["1", "2"].map((name) => [name, { data: noise(2_500_000) }]));
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const { promise: unloaded, resolve: unload } = Promise.withResolvers<void>();
    const failures: PostmanAnswer[] = [{ failure: "transient" }, { failure: 503 }];
    await using server = postmanServer(async (posted) => {
      const { operation, header: { name, offset } } = posted;
      if (operation === "read" && name === "1") {
        begin();
        await unloaded;
      }
      return operation === "read" && offset > 0 && failures.pop() || streamAnswer(streams, posted);
    });
    await expects(0, machine, "init");
    await install(machine, server);
    const running = machine.command(["backup", "--source", "toy", "--json"]).spawn().output();
    await begun;
    const { stdout } = await expects(0, machine, "plugin", "unload", SOURCE_ID);
    match(stdout, /source_toy is unloaded; what runs with it goes on/);
    unload();
    const done = ended(await running);
    equal(done.code, 0, done.stderr + done.stdout);
    deepEqual([failures.length, done.last().sources[0].streams], [0, 2]);
    deepEqual(await restored(machine), contents(streams));
  }),
});

Deno.test({
  name: "a new version that traps in the middle of a stream gives way to the one before, which reads it from its start",
  ignore: Deno.build.os === "windows",
  fn: onMachine(async (machine) => {
    const data = noise(3_500_000), streams = new Map(["1", "2", "3"].map((name) => [name, { data }]));
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const { promise: swapped, resolve: swap } = Promise.withResolvers<void>();
    const asked: string[] = [];
    await using server = postmanServer(async (posted) => {
      const { path, operation, header: { name, offset } } = posted;
      if (operation === "read") asked.push(`${path} ${name} ${offset >> 20}`);
      if (path === "/2.0.0" && offset > 1_500_000) return { failure: "traps" };
      if (operation === "read" && name === "1") {
        begin();
        await swapped;
      }
      return streamAnswer(streams, posted);
    });
    await expects(0, machine, "init");
    await install(machine, server);
    const running = machine.command(["backup", "--source", "toy", "--json"]).spawn().output();
    await begun;
    await expects(
      0,
      machine,
      "plugin",
      "replace",
      await writePlugin(machine, "2.wasm", toySource(server.port, "2.0.0")),
    );
    await expects(0, machine, "plugin", "grant", "--all", SOURCE_ID);
    while (!await serves(machine, "2.0.0")) await new Promise((resolve) => setTimeout(resolve, 10));
    swap();
    const done = ended(await running);
    equal(done.code, 0, done.stderr + done.stdout);
    deepEqual(done.last().sources.map(({ version }: { version: string }) => version), ["1.0.0"]);
    deepEqual(asked.filter((each) => / 2 /.test(each)).slice(0, 4), [
      "/2.0.0 2 0",
      "/2.0.0 2 1",
      "/2.0.0 2 2",
      "/1.0.0 2 0",
    ]);
    deepEqual(await restored(machine), contents(streams));
  }),
});

Deno.test({
  name: "an interruption ends a backup whose source says nothing any more, and leaves no snapshot",
  ignore: Deno.build.os === "windows",
  fn: onMachine(async (machine) => {
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    const streams = new Map([["a", { data: noise(3_000_000) }]]);
    await using server = postmanServer(async (posted) => {
      if (posted.operation === "read" && posted.header.offset > 0) {
        ask();
        await over;
      }
      return streamAnswer(streams, posted);
    });
    await expects(0, machine, "init");
    await install(machine, server);
    const running = machine.command(["backup", "--source", "toy"]).spawn(), output = running.output();
    await asked;
    running.kill("SIGINT");
    const done = ended(await output);
    end();
    equal(done.code, 130, done.stderr);
    deepEqual((await expects(0, machine, "snapshots", "--json")).json(), []);
  }),
});
