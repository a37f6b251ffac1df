/** A repository that a plugin keeps, on a server that the plugin alone can speak to. */
import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { STORAGE_ID, toyStorage, toyStorageServer } from "../../src/plugins/toy_storage_fixture.ts";
import { pictureOfFolder } from "../faults/pictures.ts";
import { writePlugin, writeRuns } from "./plugin_fixture.ts";
import { type Ended, onMachine } from "./program.ts";

const files = openFileSystem();

Deno.test(
  "a whole life of a repository goes through a storage plugin",
  onMachine(async (machine) => {
    await using server = toyStorageServer();
    const repo = `${STORAGE_ID}+http://127.0.0.1:${server.port}/backups`;
    const run = async (code: number, ...args: string[]): Promise<Ended> => {
      const ended = await machine.run([...args]);
      equal(ended.code, code, `${args.join(" ")}: ${ended.stderr}${ended.stdout}`);
      return ended;
    };
    const on = (...args: string[]) => [...args, "--repo", repo];
    const source = machine.path("source");
    await writeRuns(source, 3, 700_000);

    match((await run(14, ...on("init"))).stderr, new RegExp(`no plugin ${STORAGE_ID} is installed`));
    await run(0, "plugin", "load", await writePlugin(machine, "store.wasm", toyStorage(server.port)));
    match((await run(14, ...on("init"))).stderr, /waits for a grant of net\.http/);
    await run(0, "plugin", "grant", "--all", STORAGE_ID);
    await run(0, ...on("init"));
    ok(server.objects.size > 0);
    await run(0, ...on("backup", source));
    server.failures.push("transient", 503);
    await writeRuns(source, 4, 500_000);
    await run(0, ...on("backup", source));
    equal((await run(0, ...on("snapshots", "--json"))).json().length, 2);
    await run(0, ...on("check", "--read-data"));
    await run(0, ...on("restore", `latest:${source}`, "--target", machine.path("out"), "--verify"));
    deepEqual(pictureOfFolder(files, source), pictureOfFolder(files, machine.path("out")));

    await run(0, "plugin", "unload", STORAGE_ID);
    match((await run(14, ...on("snapshots"))).stderr, new RegExp(`no plugin ${STORAGE_ID} is installed`));
  }),
);
