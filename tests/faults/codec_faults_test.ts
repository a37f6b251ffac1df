import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import type { Bytes } from "../../src/base/bytes.ts";
import { AxiomError } from "../../src/base/errors.ts";
import { ChunkKind } from "../../src/model/chunk.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import type { Cipher, Codec } from "../../src/stages/codec.ts";
import { zstdCodec } from "../../src/stages/compress.ts";
import { FrameBuilder } from "../../src/stages/frame_builder.ts";
import { FrameSealer } from "../../src/stages/frame_sealer.ts";
import { chunkIdentifier } from "../../src/stages/identify.ts";
import { builtInStages, StageRegistry } from "../../src/stages/registry.ts";
import { aesGcmCipher } from "../../src/stages/seal.ts";
import { memoryStore } from "../../src/storage/memory.ts";
import { errorOf } from "../fixtures/tampering.ts";
import { inProcessPool } from "./in_process_pool.ts";
import { pictureOfFolder, pictureOfSnapshot } from "./pictures.ts";
import { changeSmallSource, noise, writeFiles, writeSmallSource } from "./source_folder.ts";
import { bringBack, emptyRepository, opened, POLICY, save, STYLE, withFolder } from "./test_repository.ts";

const files = openFileSystem();
const zstd = zstdCodec();
const gcm = aesGcmCipher();

const BAD = { ...zstd, pluginId: "compression_bad", version: "6.6.6" };

function flipped(data: Bytes, at = data.length >> 1): Bytes {
  const copy = data.slice();
  copy[at] ^= 4;
  return copy;
}

const BROKEN_CODECS: { name: string; codec: Codec }[] = [
  {
    name: "makes what it cannot decode",
    codec: { ...BAD, encode: async (p, l) => flipped(await zstd.encode(p, l), 3) },
  },
  { name: "decodes to other bytes", codec: { ...BAD, decode: async (d, n) => flipped(await zstd.decode(d, n)) } },
  { name: "decodes to fewer bytes", codec: { ...BAD, decode: async (d, n) => (await zstd.decode(d, n)).slice(1) } },
  {
    name: "decodes to more bytes",
    codec: {
      ...BAD,
      async decode(data, plainLength) {
        const longer = new Uint8Array(plainLength + 1);
        longer.set(await zstd.decode(data, plainLength));
        return longer;
      },
    },
  },
  { name: "loses the end", codec: { ...BAD, encode: (p, l) => zstd.encode(p.slice(0, -1), l) } },
  { name: "says nothing", codec: { ...BAD, encode: () => new Uint8Array(0) } },
  {
    name: "throws when it encodes",
    codec: {
      ...BAD,
      encode() {
        throw new TypeError("a bug of a plugin");
      },
    },
  },
  {
    name: "throws when it decodes",
    codec: {
      ...BAD,
      decode() {
        throw new TypeError("a bug of a plugin");
      },
    },
  },
  {
    name: "works on bytes of which one flipped in memory after they were identified",
    codec: {
      ...BAD,
      encode(plain, level) {
        plain[plain.length >> 1] ^= 1;
        return zstd.encode(plain, level);
      },
    },
  },
];

function registryWith(codec: Codec, cipher: Cipher = gcm): StageRegistry {
  const { codecs, ciphers } = builtInStages();
  return new StageRegistry(codecs.with(codec), cipher === gcm ? ciphers : ciphers.with(cipher));
}

const identify = chunkIdentifier(noise("id key", 32));

function textFrame(codec: string) {
  const builder = new FrameBuilder({ ...STYLE, codec }, new Uint8Array(100_000));
  for (let i = 0; i < 8; i++) {
    const chunk = new TextEncoder().encode(`chunk ${i} `.repeat(900));
    builder.append(identify(chunk), chunk);
  }
  return builder.finish();
}

function sealerWith(registry: StageRegistry): FrameSealer {
  return new FrameSealer(registry, ({ kind }) =>
    Promise.resolve({
      pack: 0,
      place: {
        epoch: 1,
        repositoryId: noise("repository", 16),
        salt: noise("salt", 32),
        kind,
        codec: 0,
        cipher: 1,
        frame: 0,
        key: noise("frame key", 32),
      },
    }));
}

Deno.test("(19) (20) a frame that does not decode to the chunks that were identified is refused, and the codec named", async (t) => {
  await t.step("a good codec", async () => {
    const frame = await sealerWith(registryWith(BAD)).seal(textFrame(BAD.pluginId));
    ok(frame.sealed.length > 0 && frame.sealed.length < frame.plainBytes);
  });
  for (const { name, codec } of BROKEN_CODECS) {
    await t.step(name, async () => {
      const error = await errorOf(sealerWith(registryWith(codec)).seal(textFrame(codec.pluginId)));
      equal(error.kind, "codec_failed");
      equal(error.exitCode, 1);
      match(error.message, /compression_bad 6\.6\.6/);
      ok(error.hint);
    });
  }
});

Deno.test("(19) (20) the same holds for a codec that is on trial, which proves its answers by calls of its own", async (t) => {
  const onTrial = (codec: Codec): Codec => {
    const decode = async (encoded: Bytes, plainLength: number) => await codec.decode(encoded, plainLength);
    const told = () => Promise.resolve();
    return { ...codec, decoder: "0".repeat(64), trial: { decode, refuse: told, giveWay: told } };
  };
  await t.step("a good codec", async () => {
    ok((await sealerWith(registryWith(onTrial(BAD))).seal(textFrame(BAD.pluginId))).sealed.length > 0);
  });
  for (const { name, codec } of BROKEN_CODECS) {
    await t.step(name, async () => {
      await rejects(sealerWith(registryWith(onTrial(codec))).seal(textFrame(codec.pluginId)));
    });
  }
});

Deno.test("(20) a seal of which a bit flips before it is checked is refused", async () => {
  const cipher: Cipher = {
    ...gcm,
    pluginId: "encryption_bad",
    formatId: "bad-1",
    seal: async (key, aad, plain) => flipped(await gcm.seal(key, aad, plain)),
  };
  const frame = { ...textFrame("compression_zstd") };
  frame.style = { ...frame.style, cipher: cipher.formatId };
  const error = await errorOf(sealerWith(registryWith(BAD, cipher)).seal(frame));
  equal(error.kind, "codec_failed");
  match(error.message, /encryption_bad/);
});

Deno.test("(19) (20) a backup with a broken codec fails, makes no snapshot and leaves nothing that cannot be read", async (t) => {
  await withFolder(async (folder) => {
    const store = memoryStore();
    store.restore(await emptyRepository());
    writeSmallSource(folder);
    await save(await opened(store), folder);
    const earlier = pictureOfFolder(files, folder);
    const before = store.snapshot();
    changeSmallSource(folder);
    for (let i = 0; i < 4; i++) writeFiles(folder, { [`texts/${i}`]: `text ${i} `.repeat(3000) });
    for (const { name, codec } of BROKEN_CODECS) {
      await t.step(name, async () => {
        store.restore(before);
        const registry = registryWith(codec);
        const repository = await opened(store);
        (repository.context as { registry: StageRegistry }).registry = registry;
        const style = { ...STYLE, codec: codec.pluginId };
        const error = await errorOf(save(repository, folder, {
          pool: () => inProcessPool({ registry }),
          metadataStyle: STYLE,
          policy: {
            ...POLICY,
            plan: () => ({ style }),
          },
        }));
        equal(error.kind, "codec_failed");
        match(error.message, /compression_bad 6\.6\.6/);
        const fresh = await opened(store);
        const { snapshots } = await fresh.snapshots();
        equal(snapshots.length, 1);
        deepEqual(await pictureOfSnapshot(fresh, snapshots[0], folder), earlier);
        await assertEveryFrameOpens(store);
        await save(fresh, folder);
        const healed = (await fresh.snapshots()).snapshots.at(-1)!;
        deepEqual(await pictureOfSnapshot(fresh, healed, folder), pictureOfFolder(files, folder));
      });
    }
  });
});

async function assertEveryFrameOpens(store: ReturnType<typeof memoryStore>): Promise<void> {
  const repository = await opened(store);
  const view = await repository.loadIndex();
  deepEqual(view.damagedPacks, []);
  for (const pack of view.index.packs()) {
    const table = await repository.packs.table(pack);
    for (const [number, frame] of table.frames.entries()) {
      if (frame.chunks.length > 0) await repository.packs.readFrame(pack, table, number);
    }
  }
}

Deno.test("every codec and cipher saves and restores what compresses and what does not", async (t) => {
  await withFolder(async (folder) => {
    writeFiles(folder, {
      text: "text ".repeat(20_000),
      noise: noise("noise", 90_000),
      tiny: "t",
      large: noise("l", 600_000),
    });
    const picture = pictureOfFolder(files, folder);
    for (const codec of ["compression_zstd", "compression_none"]) {
      for (const cipher of builtInStages().ciphers.all.map(({ formatId }) => formatId)) {
        await t.step(`${codec}, ${cipher}`, async () => {
          const store = memoryStore();
          store.restore(await emptyRepository());
          const repository = await opened(store);
          const kind = cipher.startsWith("plain") ? ChunkKind.plain : ChunkKind.data;
          await save(repository, folder, {
            policy: {
              ...POLICY,
              plan: () => ({ style: { ...STYLE, kind, codec, cipher } }),
            },
          });
          const [stored] = (await repository.snapshots()).snapshots;
          deepEqual(await pictureOfSnapshot(repository, stored, folder), picture);
          await withFolder(async (target) => {
            const { filesFailed } = await bringBack(repository, stored, folder, target);
            equal(filesFailed, 0);
            deepEqual(pictureOfFolder(files, target), picture);
          });
        });
      }
    }
  });
});

Deno.test("(19) the error of a codec is an AxiomError of kind codec_failed with exit code 1", () => {
  equal(new AxiomError("codec_failed", "Cannot x").exitCode, 1);
});
