/** What a person grants and takes back counts at once in what runs. */
import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { STORAGE_ID, toyStorage, toyStorageServer } from "../../src/plugins/toy_storage_fixture.ts";
import { PacedBackup } from "./paced_backup.ts";
import { writePlugin } from "./plugin_fixture.ts";
import { type Ended, type Machine, onMachine } from "./program.ts";

const unix = Deno.build.os !== "windows";

async function succeeds(machine: Machine, ...args: string[]): Promise<Ended> {
  const done = await machine.run(args);
  equal(done.code, 0, `${args.join(" ")}: ${done.stderr}`);
  return done;
}

Deno.test({
  name: "grant and revoke reach a running process before they end",
  ignore: !unix,
  fn: onMachine(async (machine) => {
    await using server = toyStorageServer();
    await succeeds(machine, "init");
    const backup = new PacedBackup(machine);
    const sockets = `${machine.home}/.local/state/axiom/run`;
    const listed = () => Array.fromAsync(Deno.readDir(sockets)).catch(() => []);
    await backup.waitUntil("a socket", async () => (await listed()).length > 0);
    const process = (says: string) => new RegExp(`^Process ${backup.pid}: ${STORAGE_ID} ${says}`, "m");
    const loaded = await machine.run(["plugin", "load", await writePlugin(machine, "s.wasm", toyStorage(server.port))]);
    match(loaded.stdout, process("is not used: .*waits for a grant of net.http"));
    match((await succeeds(machine, "plugin", "grant", "--all", STORAGE_ID)).stdout, process("1.2.3 serves"));
    const revoked = await succeeds(machine, "plugin", "revoke", "--all", STORAGE_ID);
    match(revoked.stdout, process("1.2.3 is stopped: .*waits for a grant of net.http"));
    const granted = await succeeds(machine, "plugin", "grant", "--all", STORAGE_ID, "--json");
    const [{ pid, changes }] = granted.json().processes;
    deepEqual([pid, changes[0].outcome, changes[0].to_version], [backup.pid, "switched", "1.2.3"]);
    await backup.feed(4);
    await backup.finish();
    await backup.assertRestores(machine);
  }),
});

Deno.test({
  name: "revoke reaches the version that serves while the one that is installed waits for its grant",
  ignore: !unix,
  fn: onMachine(async (machine) => {
    await using server = toyStorageServer();
    await succeeds(machine, "init");
    await succeeds(machine, "plugin", "load", await writePlugin(machine, "1.wasm", toyStorage(server.port)));
    await succeeds(machine, "plugin", "grant", "--all", STORAGE_ID);
    const backup = new PacedBackup(machine);
    const sockets = `${machine.home}/.local/state/axiom/run`;
    const listed = () => Array.fromAsync(Deno.readDir(sockets)).catch(() => []);
    await backup.waitUntil("a socket", async () => (await listed()).length > 0);
    const second = await writePlugin(machine, "2.wasm", toyStorage(server.port, "/", { version: "2.0.0" }));
    match(
      (await machine.run(["plugin", "replace", second])).stdout,
      /1\.2\.3 .*goes on|is not used: .*waits for a grant/,
    );
    const unknown = await machine.run(["plugin", "revoke", STORAGE_ID, "kv"]);
    match(unknown.stderr, /was not granted that.*\n.*It was granted net\.http/);
    const revoked = await succeeds(machine, "plugin", "revoke", STORAGE_ID, "net.http");
    match(revoked.stdout, /storage_toy may no longer use net\.http/);
    match(revoked.stdout, new RegExp(`Process ${backup.pid}: ${STORAGE_ID} 1.2.3 is stopped`));
    await backup.feed(4);
    await backup.finish();
  }),
});

Deno.test({
  name: "a backup to a storage plugin that is unloaded goes on to its end",
  ignore: !unix,
  fn: onMachine(async (machine) => {
    await using server = toyStorageServer();
    const repo = ["--repo", `${STORAGE_ID}+http://127.0.0.1:${server.port}/backups`];
    const load = ["plugin", "load", await writePlugin(machine, "s.wasm", toyStorage(server.port))];
    await succeeds(machine, ...load);
    await succeeds(machine, "plugin", "grant", "--all", STORAGE_ID);
    await succeeds(machine, "init", ...repo);
    const before = server.objects.size;
    const backup = new PacedBackup(machine, ...repo);
    await backup.feedUntil("an object of the backup", () => Promise.resolve(server.objects.size > before));
    const { stdout } = await succeeds(machine, "plugin", "unload", STORAGE_ID);
    match(stdout, new RegExp(`Process ${backup.pid}: ${STORAGE_ID} is unloaded; what runs with it goes on`));
    await backup.feed(4);
    await backup.finish();
    await succeeds(machine, ...load);
    await succeeds(machine, "plugin", "grant", "--all", STORAGE_ID);
    equal((await succeeds(machine, "snapshots", "--json", ...repo)).json().length, 1);
    await succeeds(machine, "check", "--read-data", ...repo);
  }),
});

Deno.test(
  "notes of a plugin stay for when it is loaded again, until a person takes them away",
  onMachine(async (machine) => {
    await using server = toyStorageServer();
    const load = ["plugin", "load", await writePlugin(machine, "s.wasm", toyStorage(server.port))];
    const unload = (...args: string[]) => succeeds(machine, "plugin", "unload", ...args, STORAGE_ID);
    const folder = `${machine.home}/.local/state/axiom/plugins`, notes = `${folder}/${STORAGE_ID}.notes`;
    await succeeds(machine, ...load);
    equal((await unload()).stdout, `Removed ${STORAGE_ID} 1.2.3\n`);
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(notes, "");
    await succeeds(machine, ...load);
    match((await unload()).stdout, new RegExp(`Its notes stay in ${notes}; .*--notes ${STORAGE_ID}`));
    match((await unload("--notes")).stdout, /Removed the notes of storage_toy/);
    deepEqual([...Deno.readDirSync(folder)], []);
    await Deno.writeTextFile(notes, "");
    await succeeds(machine, ...load);
    match((await unload("--notes")).stdout, /Removed storage_toy 1\.2\.3, the notes of storage_toy/);
    deepEqual([...Deno.readDirSync(folder)], []);
    const nothing = await machine.run(["plugin", "unload", "--notes", "../../x"]);
    equal(nothing.code, 14, nothing.stderr);
  }),
);

Deno.test({
  name: "a backup to a storage plugin whose grant is taken back ends with 14 and without a snapshot",
  ignore: !unix,
  fn: onMachine(async (machine) => {
    await using server = toyStorageServer();
    const repo = ["--repo", `${STORAGE_ID}+http://127.0.0.1:${server.port}/backups`];
    await succeeds(machine, "plugin", "load", await writePlugin(machine, "s.wasm", toyStorage(server.port)));
    await succeeds(machine, "plugin", "grant", "--all", STORAGE_ID);
    await succeeds(machine, "init", ...repo);
    const before = server.objects.size;
    const backup = new PacedBackup(machine, ...repo);
    await backup.feedUntil("an object of the backup", () => Promise.resolve(server.objects.size > before));
    const revoked = await succeeds(machine, "plugin", "revoke", "--all", STORAGE_ID);
    match(revoked.stdout, new RegExp(`Process ${backup.pid}: ${STORAGE_ID} 1.2.3 is stopped`));
    const ended = await backup.end();
    equal(ended.code, 14, ended.stdout + ended.stderr);
    match(
      ended.stdout + ended.stderr,
      /storage_toy 1\.2\.3 \(sha256 [0-9a-f]{12}\): what it was granted was taken back/,
    );
    await succeeds(machine, "plugin", "grant", "--all", STORAGE_ID);
    deepEqual((await succeeds(machine, "snapshots", "--json", ...repo)).json(), []);
    await Deno.writeTextFile(machine.path("file"), "content");
    await succeeds(machine, "backup", machine.path("file"), ...repo);
  }),
});
