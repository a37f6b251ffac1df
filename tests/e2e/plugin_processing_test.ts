/** Plugins that work on each new snapshot. */
import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import {
  answering,
  posting,
  PROCESSING_ID,
  stockProcessing,
  toyProcessing,
} from "../../src/plugins/toy_processing_fixture.ts";
import { LOOP_FOR_EVER, op, type PluginParts } from "../../src/plugins/wasm_fixture.ts";
import { PacedBackup } from "./paced_backup.ts";
import { writePlugin } from "./plugin_fixture.ts";
import { type Ended, ended, type Machine, onMachine } from "./program.ts";

function runner(machine: Machine) {
  return async (code: number, ...args: string[]): Promise<Ended> => {
    const result = await machine.run(args);
    equal(result.code, code, `${args.join(" ")}: ${result.stderr}${result.stdout}`);
    return result;
  };
}

async function prepared(machine: Machine): Promise<string> {
  await Deno.mkdir(machine.path("source"));
  await Deno.writeTextFile(machine.path("source", "a"), "content");
  await runner(machine)(0, "init");
  return machine.path("source");
}

const REPORT = '{"status":"SUCCESS","metrics":{"files_seen":3},"artifacts":["/srv/report.html"]}';

Deno.test(
  "a processing plugin is called with the snapshot that is there, and what it made is in the summary",
  onMachine(async (machine) => {
    // deno-lint-ignore no-explicit-any
    const posted: any[] = [], snapshots: number[] = [];
    const run = runner(machine);
    await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
      posted.push(await request.json());
      snapshots.push([...Deno.readDirSync(`${machine.repository}/snapshots`)].length);
      return new Response();
    });
    const host = `127.0.0.1:${server.addr.port}`;
    const source = await prepared(machine);
    const missing = await run(14, "backup", source, "--process", "toy");
    match(missing.stderr, /Cannot process snapshots with toy: no plugin processing_toy is installed\n {2}hint: /);
    deepEqual((await run(0, "snapshots", "--json")).json(), []);

    const capabilities = [{ name: "net.http", hosts: [host], methods: ["POST"], reason: "a test" }];
    const module = toyProcessing(posting(`http://${host}/`, REPORT), { capabilities });
    await run(0, "plugin", "load", await writePlugin(machine, "p.wasm", module));
    await run(0, "plugin", "grant", "--all", PROCESSING_ID);
    const { processing, ...summary } = (await run(0, "backup", source, "--process", "toy", "--json")).last();
    const [{ plugin_id, status, metrics, artifacts, error }] = processing;
    deepEqual([plugin_id, status, error], [PROCESSING_ID, "SUCCESS", null]);
    deepEqual([metrics, artifacts], [{ files_seen: 3 }, ["/srv/report.html"]]);
    const [context] = posted.splice(0);
    deepEqual([context.event, context.status, context.exit_code], ["snapshot_saved", "SUCCESS", 0]);
    deepEqual([context.snapshot_id, context.summary.snapshot_id], [summary.snapshot_id, summary.snapshot_id]);
    ok(snapshots[0] > 0, "the snapshot was not there yet");

    const { stdout } = await run(3, "backup", source, machine.path("gone"), "--process", PROCESSING_ID);
    equal(posted.pop()?.status, "WARNING");
    match(stdout, /^Plugin: {3}processing_toy 1\.2\.3 \(\w{12}\) processed it: files_seen 3, \/srv\/report\.html$/m);
    await run(0, "backup", source, "--process", "toy", "--dry-run");
    await run(3, "backup", machine.path("gone"), "--process", "toy");
    equal(posted.length, 0);
    const { stderr } = await run(2, "backup", source, "--process", "compression_zstd");
    match(stderr, /compression_zstd is for compression/);
  }),
);

Deno.test({
  name: "whoever interrupts a processing plugin has the snapshot, and does not wait for it",
  ignore: Deno.build.os === "windows",
  fn: onMachine(async (machine) => {
    const run = runner(machine), source = await prepared(machine);
    const begun = Promise.withResolvers<void>(), over = Promise.withResolvers<Response>();
    await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => {
      begun.resolve();
      return over.promise;
    });
    const host = `127.0.0.1:${server.addr.port}`;
    const capabilities = [{ name: "net.http", hosts: [host], methods: ["POST"], reason: "a test" }];
    const module = toyProcessing(posting(`http://${host}/`), { capabilities, limits: { call_ms: 60_000 } });
    await run(0, "plugin", "load", await writePlugin(machine, "p.wasm", module));
    await run(0, "plugin", "grant", "--all", PROCESSING_ID);
    const child = machine.command(["backup", source, "--process", "toy", "--json"]).spawn(), output = child.output();
    await begun.promise;
    child.kill("SIGINT");
    const result = ended(await output);
    over.resolve(new Response());
    equal(result.code, 3, result.stderr);
    const { snapshot_id, processing: [{ error }] } = result.last();
    match(error.message, /processing_toy .* interrupted before it answered/);
    equal((await run(0, "snapshots", "--json")).json()[0].id, snapshot_id);
  }),
});

const status = (more: string) => answering(`{"status":"SUCCESS",${more}}`);
const BAD: { name: string; parts: PluginParts; why: RegExp }[] = [
  { name: "traps", parts: answering("", [op.unreachable]), why: /trap: unreachable/ },
  { name: "fails", parts: { execute: [op.const(9)] }, why: /Cannot run processing_toy 1\.0\.1 .*permanent/ },
  { name: "does not end", parts: { execute: LOOP_FOR_EVER }, why: /deadline/ },
  { name: "says nothing", parts: {}, why: /abi: its result is no JSON object/ },
  { name: "gives no JSON", parts: answering("done"), why: /abi: its result is no JSON object/ },
  { name: "is of another mind", parts: answering('{"status":"DONE"}'), why: /its status is "DONE"/ },
  { name: "adds what means nothing", parts: status('"more":1'), why: /its result has "more"/ },
  { name: "measures words", parts: status('"metrics":{"a":"b"}'), why: /its metric "a" is "b"/ },
  { name: "names no artifact", parts: status('"artifacts":[""]'), why: /"" is among its artifacts/ },
];

Deno.test(
  "where a processing plugin fails the snapshot stands, and the backup ends with 3",
  onMachine(async (machine, t) => {
    const run = runner(machine), source = await prepared(machine);
    for (const [i, { name, parts, why }] of BAD.entries()) {
      await t.step(name, async () => {
        const more = { version: `1.0.${i}`, limits: { call_ms: 300 } };
        await run(0, "plugin", "load", await writePlugin(machine, "bad.wasm", toyProcessing(parts, more)));
        const result = await run(3, "backup", source, "--process", "toy", "--json");
        const { snapshot_id, processing: [{ version, status, error }], files_failed } = result.last();
        deepEqual([version, status, error.kind, files_failed], [`1.0.${i}`, "FAILURE", "plugin_failed", 0]);
        match(error.message, why);
        match(error.message, new RegExp(`processing_toy 1\\.0\\.${i} \\(sha256 [0-9a-f]{12}\\)`));
        match(result.stdout, /"type":"warning","code":"processing".*; the snapshot stands"/);
        equal((await run(0, "snapshots", "--json")).json().at(-1).id, snapshot_id);
        await run(0, "plugin", "unload", PROCESSING_ID);
      });
    }
  }),
);

Deno.test(
  "a module of the stock Extism kit processes a snapshot by its execute",
  onMachine(async (machine) => {
    const run = runner(machine), source = await prepared(machine);
    await run(0, "plugin", "load", await writePlugin(machine, "stock.wasm", stockProcessing(REPORT)));
    const { processing } = (await run(0, "backup", source, "--process", "toy", "--json")).last();
    deepEqual(processing[0].metrics, { files_seen: 3 });
  }),
);

Deno.test({
  name: "whoever serves at the end is called: a version that took over, and none where a plugin was unloaded",
  ignore: Deno.build.os === "windows",
  fn: onMachine(async (machine) => {
    const run = runner(machine);
    await prepared(machine);
    const version = (n: number) => toyProcessing(status(`"metrics":{"version":${n}}`), { version: `${n}.0.0` });
    const told = toyProcessing(answering('{"status":"SUCCESS"}'), {
      plugin_id: "notification_toy",
      category: "notification",
    });
    await run(0, "plugin", "load", await writePlugin(machine, "1.wasm", version(1)));
    await run(0, "plugin", "load", await writePlugin(machine, "told.wasm", told));
    const backup = new PacedBackup(machine, "--process", "toy", "--notify", "toy");
    await backup.feed(1);
    const listed = async () => (await run(0, "plugin", "list", "--json")).json()[0].processes;
    await backup.waitUntil("it listens", async () => (await listed()).length === 1);
    await run(0, "plugin", "replace", await writePlugin(machine, "2.wasm", version(2)));
    await run(0, "plugin", "unload", "notification_toy");
    const { processing, notifications } = (await backup.finish()).last();
    deepEqual([processing[0].version, processing[0].metrics], ["2.0.0", { version: 2 }]);
    const [{ plugin_id, version: none, status: failed, error }] = notifications;
    deepEqual([plugin_id, none, failed, error.kind], ["notification_toy", null, "FAILURE", "plugin_missing"]);
  }),
});

Deno.test({
  name: "a version that traps when it is called goes into quarantine, and the one before is installed again",
  ignore: Deno.build.os === "windows",
  fn: onMachine(async (machine) => {
    const run = runner(machine);
    await prepared(machine);
    const about = { plugin_id: "notification_toy", category: "notification" };
    const good = answering('{"status":"SUCCESS"}'), bad = answering("", [op.unreachable]);
    const load = async (how: string, parts: PluginParts, version: string) => {
      const module = toyProcessing(parts, { ...about, version });
      await run(0, "plugin", how, await writePlugin(machine, `${version}.wasm`, module));
    };
    const installed = async () => (await run(0, "plugin", "list", "--json")).json()[0];
    await load("load", good, "1.0.0");
    const backup = new PacedBackup(machine, "--notify", "toy");
    await backup.feed(1);
    await backup.waitUntil("it listens", async () => (await installed()).processes.length === 1);
    await load("replace", bad, "2.0.0");
    const result = await backup.finish();
    const [{ version, error }] = result.last().notifications;
    deepEqual([version, error.kind], ["2.0.0", "plugin_failed"]);
    match(result.stdout, /notification_toy 2\.0\.0 .* is in quarantine, and notification_toy 1\.0\.0 .* serves again/);
    equal((await installed()).version, "1.0.0");
  }),
});
