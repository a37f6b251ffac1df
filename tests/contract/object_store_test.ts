import { systemClock } from "../../src/base/clock.ts";
import { systemRandom } from "../../src/base/random.ts";
import { DEFAULT_RETRY } from "../../src/resilience/retry.ts";
import { denoFileOps, type FileOps } from "../../src/storage/file_ops.ts";
import { ForwardingStore } from "../../src/storage/forwarding.ts";
import { openLocalStore } from "../../src/storage/local.ts";
import { memoryStore } from "../../src/storage/memory.ts";
import { meteredStore } from "../../src/storage/metered.ts";
import { readOnlyStore } from "../../src/storage/read_only.ts";
import { retryingStore } from "../../src/storage/retrying.ts";
import { throttledStore } from "../../src/storage/throttled.ts";
import { faultyStore } from "../faults/faulty_store.ts";
import { objectStoreContract, type StoreUnderTest } from "./object_store.ts";

/** In memory where there is such a place: 3,000 objects are 6,000 calls of fsync. */
async function inFolder(ops: FileOps = denoFileOps): Promise<StoreUnderTest> {
  const inMemory = await Deno.stat("/dev/shm").then(() => true, () => false);
  const folder = await Deno.makeTempDir({ prefix: "axiom-store-", dir: inMemory ? "/dev/shm" : undefined });
  return {
    store: await openLocalStore(folder, { ops }),
    async leftovers() {
      const names: string[] = [];
      for await (const { name } of Deno.readDir(`${folder}/tmp`)) names.push(name);
      return names;
    },
    dispose: () => Deno.remove(folder, { recursive: true }),
  };
}

function refuse(code: string): () => Promise<never> {
  return () => Promise.reject(Object.assign(new Error(`simulated ${code}`), { code }));
}

const isFolder = async (path: string) => (await Deno.stat(path)).isDirectory;

/** FAT and the like: no links, no modes, no fsync of folders. */
const poorOps: FileOps = {
  ...denoFileOps,
  link: refuse("EPERM"),
  chmod: refuse("EPERM"),
  syncFolder: refuse("EINVAL"),
};

/** Besides, folders cannot be renamed. */
const poorestOps: FileOps = {
  ...poorOps,
  rename: async (from, to) => await isFolder(from) ? await refuse("ENOTSUP")() : await Deno.rename(from, to),
};

const retryEnvironment = { clock: systemClock, random: systemRandom };
const fast = { uploadKibPerSecond: 2 ** 30, downloadKibPerSecond: 2 ** 30 };

objectStoreContract("The local store", inFolder);
objectStoreContract("The local store without links", () => inFolder(poorOps));
objectStoreContract("The local store without links and renames of folders", () => inFolder(poorestOps));
objectStoreContract("The memory store", () => Promise.resolve({ store: memoryStore() }));
objectStoreContract(
  "The retrying store",
  () => Promise.resolve({ store: retryingStore(memoryStore(), DEFAULT_RETRY, retryEnvironment) }),
);
objectStoreContract("The metered store", async () => {
  const inner = await inFolder();
  return { ...inner, store: meteredStore(inner.store, systemClock) };
});
objectStoreContract(
  "The throttled store",
  () => Promise.resolve({ store: throttledStore(memoryStore(), fast, systemClock) }),
);
objectStoreContract("The read-only store", () => {
  const inner = memoryStore();
  const store = new ForwardingStore(readOnlyStore(inner));
  store.put = (key, data) => inner.put(key, data);
  store.remove = (key) => inner.remove(key);
  return Promise.resolve({ store });
}, "reading");
objectStoreContract("The faulty store without faults", () => Promise.resolve({ store: faultyStore(memoryStore()) }));
