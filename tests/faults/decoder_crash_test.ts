/** A codec plugin's module is durable before the first pack that names it, wherever a backup dies. */
import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { ignoreEvents } from "../../src/base/events.ts";
import { systemClock } from "../../src/base/clock.ts";
import { check } from "../../src/operations/check.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { admit } from "../../src/plugins/admission.ts";
import { Decoders } from "../../src/plugins/decoders.ts";
import { manifestSection } from "../../src/plugins/plugin_fixture.ts";
import { PluginRegistry } from "../../src/plugins/plugin_registry.ts";
import { wasmSource } from "../../src/plugins/plugin_source.ts";
import { PluginStages } from "../../src/plugins/plugin_stages.ts";
import { runLengthCodec, TOY_CODEC_PAGES } from "../../src/plugins/toy_codec_fixture.ts";
import { pluginModule } from "../../src/plugins/wasm_fixture.ts";
import { Repository } from "../../src/repository/repository.ts";
import { isWhole } from "../../src/repository/stored_decoders.ts";
import { builtInStages } from "../../src/stages/registry.ts";
import { type MemoryStore, memoryStore } from "../../src/storage/memory.ts";
import type { ObjectStore } from "../../src/storage/object_store.ts";
import { quietly } from "../fixtures/quiet.ts";
import { everyCrash } from "./every_crash.ts";
import { inProcessPool } from "./in_process_pool.ts";
import { pictureOfFolder, pictureOfSnapshot } from "./pictures.ts";
import { writeFiles } from "./source_folder.ts";
import {
  emptyRepository,
  POLICY,
  save,
  SECRET,
  SMALL_PACKS,
  STYLE,
  testContext,
  withFolder,
} from "./test_repository.ts";

const ID = "compression_toy";
const files = openFileSystem();

/** A program with the plugin installed, or one that only trusts what a repository brings along. */
class Program {
  readonly registry = new PluginRegistry({ clock: systemClock });
  readonly stages = new PluginStages(this.registry, builtInStages());
  readonly decoders = new Decoders(this, {
    trust: { policy: "warn", trustedKeys: [], revoked: [] },
    trusted: [ID],
    options: [],
    clock: systemClock,
    instancesMax: 1,
    onEvent: ignoreEvents,
    onNotes: undefined,
  });

  install(bytes: Uint8Array<ArrayBuffer>): this {
    const file = { bytes, signature: "no signature" };
    const settings = { granted: [], configuration: {}, instancesMax: 1, clock: systemClock, file };
    this.registry.introduce(wasmSource(admit(bytes), settings));
    return this;
  }

  open(store: ObjectStore): Promise<Repository> {
    return Repository.open(store, SECRET, {
      ...testContext(),
      registry: this.stages.stages,
      decoders: this.decoders,
    });
  }

  readonly pool = () => inProcessPool({ host: this.stages });

  save(repository: Repository, folder: string) {
    const style = { ...STYLE, codec: ID, level: 2 };
    const policy = {
      ...POLICY,
      plan: () => ({ style }),
    };
    return save(repository, folder, { policy, pool: this.pool });
  }

  async close(): Promise<void> {
    await this.stages.close();
    await this.registry.close();
  }
}

async function namedAreStored(program: Program, store: MemoryStore): Promise<number> {
  const repository = await program.open(store);
  const view = await repository.loadIndex();
  let named = 0;
  for (const pack of view.index.packs()) {
    for (const { decoder } of (await repository.packs.table(pack)).dictionary) {
      if (decoder === "built-in") continue;
      named++;
      ok(await isWhole(store, decoder), `${pack.name} is visible, and its decoder ${decoder} is not there`);
    }
  }
  return named;
}

function runs(name: string, bytes: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: bytes }, (_, at) => name.charCodeAt(name.length - 1) + (at >> 6));
}

Deno.test("(1) (2) a backup through a codec plugin dies at any storage call", () =>
  withFolder(async (folder) => {
    const module = pluginModule({
      execute: runLengthCodec(0x11),
      memory: { minimum: TOY_CODEC_PAGES },
      sections: [manifestSection({ plugin_id: ID, limits: { memory_pages: 512, call_ms: 20_000 } })],
    });
    const writer = new Program().install(module as Uint8Array<ArrayBuffer>), reader = new Program();
    for (let i = 0; i < 6; i++) writeFiles(folder, { [`runs ${i}`]: runs(`runs ${i}`, 60_000 + i) });
    const now = pictureOfFolder(files, folder);
    let namedMost = 0;
    const points = await everyCrash({
      before: await emptyRepository(SMALL_PACKS),
      keeps: [0, 0.5, 0.999],
      run: async (store) => writer.save(await writer.open(store), folder),
      async examine(store, { endedWell }) {
        namedMost = Math.max(namedMost, await namedAreStored(reader, store));
        const { snapshots } = await (await reader.open(store)).snapshots();
        ok(snapshots.length === 1 || (!endedWell && snapshots.length === 0));
        for (const each of snapshots) deepEqual(await pictureOfSnapshot(await reader.open(store), each, folder), now);
        await writer.save(await writer.open(store), folder);
        const repository = await reader.open(store);
        const healed = (await repository.snapshots()).snapshots.at(-1)!;
        deepEqual(await pictureOfSnapshot(repository, healed, folder), now);
        const context = { pool: reader.pool, onEvent: ignoreEvents };
        const { errors } = await quietly(check(repository, { readData: { kind: "all" } }, context));
        deepEqual(errors.filter(({ object }) => object.startsWith("codecs/") || object.startsWith("packs/")), []);
      },
    });
    console.log(`codec plugin: ${points} crash points, up to ${namedMost} packs that name it`);
    ok(namedMost > 0);
    const store = memoryStore();
    store.restore(await emptyRepository());
    await writer.save(await writer.open(store), folder);
    equal((await Array.fromAsync(store.list("codecs/"))).length, 2, "the module and its signature, once each");
    await writer.close();
    await reader.close();
  }));
