/** Ctrl-C: ends within seconds, in good order, and the next run goes on from there. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { systemRandom } from "../../src/base/random.ts";
import { writeFiles } from "../faults/source_folder.ts";
import { ended, type Machine, onMachine } from "./program.ts";

const windows = Deno.build.os === "windows";
const PATIENCE_MS = 20_000; // a machine that does much else; on an idle one it is some tenths of a second

/** Starts the program and sends it a signal once `condition` holds. */
async function interrupted(machine: Machine, args: string[], condition: () => boolean, signal: Deno.Signal = "SIGINT") {
  const child = machine.command(args).spawn();
  const output = child.output();
  const begun = Date.now();
  while (!condition()) {
    ok(Date.now() - begun < PATIENCE_MS, "it did not begin");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const sent = Date.now();
  child.kill(signal);
  const result = ended(await output);
  ok(Date.now() - sent < PATIENCE_MS, `it took ${Date.now() - sent} ms to end`);
  return result;
}

function count(folder: string): number {
  try {
    let number = 0;
    for (const { name, isDirectory } of Deno.readDirSync(folder)) {
      number += isDirectory ? count(`${folder}/${name}`) : 1;
    }
    return number;
  } catch {
    return 0;
  }
}

function bytesBelow(folder: string): number {
  let bytes = 0;
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    bytes += isDirectory ? bytesBelow(`${folder}/${name}`) : Deno.lstatSync(`${folder}/${name}`).size;
  }
  return bytes;
}

function blocksBelow(folder: string): number {
  try {
    return [...Deno.readDirSync(folder)].reduce(
      (sum, { name }) => sum + (Deno.lstatSync(`${folder}/${name}`).blocks ?? 0),
      0,
    );
  } catch {
    return 0;
  }
}

const FILES = 60, FILE_BYTES = 5_000_000;

function writeMuch(folder: string): void {
  for (let i = 0; i < FILES; i++) writeFiles(folder, { [`${i}`]: systemRandom(FILE_BYTES) });
}

Deno.test({
  name: "an interrupted backup ends with 130, leaves no snapshot, and its work is used by the next",
  ignore: windows,
  fn: onMachine(async (machine, t) => {
    const source = machine.path("source");
    writeMuch(source);
    equal((await machine.run(["init"])).code, 0);
    const packs = `${machine.repository}/packs`;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      await t.step(signal, async () => {
        const before = count(packs);
        const result = await interrupted(machine, ["backup", source, "--json"], () => count(packs) > before, signal);
        equal(result.code, 130, result.stderr);
        match(result.stderr, /Interrupted, ending in good order/);
        deepEqual([result.last().type, result.last().kind, result.last().exit_code], ["error", "interrupted", 130]);
        deepEqual((await machine.run(["snapshots", "--json"])).json(), []);
        equal(count(`${machine.repository}/sessions`), 0);
      });
    }
    await t.step("the next one", async () => {
      const stored = bytesBelow(packs);
      ok(stored > FILE_BYTES, "what arrived is kept");
      const summary = (await machine.run(["backup", source, "--json"])).last();
      equal(summary.files_new, FILES);
      ok(summary.bytes_added < FILES * FILE_BYTES - stored / 2, `${summary.bytes_added} added to ${stored}`);
      equal((await machine.run(["check", "--read-data"])).code, 0);
    });
    await t.step("an interrupted restore goes on where it stopped", async () => {
      const target = machine.path("out");
      const args = ["restore", `latest:${source}`, "--target", target];
      const result = await interrupted(machine, args, () => blocksBelow(target) > 0);
      equal(result.code, 130, result.stderr);
      const again = (await machine.run([...args, "--json", "--verify"])).last();
      equal(again.files_restored + again.files_unchanged, FILES);
      ok(again.bytes_written < FILES * FILE_BYTES, "nothing was used again");
    });
  }),
});

Deno.test({
  name: "an interruption of a stream ends its producer too",
  ignore: windows,
  fn: onMachine(async (machine) => {
    equal((await machine.run(["init"])).code, 0);
    const marker = machine.path("started");
    const script = `touch '${marker}'; exec sleep 60`;
    const args = ["backup", "--stdin-from-command", "--", "sh", "-c", script];
    const exists = () => {
      try {
        return Deno.lstatSync(marker).isFile;
      } catch {
        return false;
      }
    };
    equal((await interrupted(machine, args, exists)).code, 130);
    deepEqual((await machine.run(["snapshots", "--json"])).json(), []);
  }),
});
