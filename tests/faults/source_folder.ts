import { utf8 } from "../../src/base/bytes.ts";
import { systemClock } from "../../src/base/clock.ts";
import { seededRandom } from "../fixtures/fixed.ts";

/** Bytes that do not compress, the same for the same seed. */
export function noise(seed: string, length: number): Uint8Array<ArrayBuffer> {
  const key = `${seed} ${length}`;
  let data = made.get(key);
  if (data === undefined) made.set(key, data = seededRandom(seed)(length));
  return data;
}

const made = new Map<string, Uint8Array<ArrayBuffer>>();

export interface SourceFile {
  path: string;
  data: string | Uint8Array<ArrayBuffer>;
}

/** Writes files below `folder`, and the folders that they need. */
export function writeFiles(folder: string, files: Record<string, string | Uint8Array<ArrayBuffer>>): void {
  for (const [path, data] of Object.entries(files)) {
    const whole = `${folder}/${path}`;
    Deno.mkdirSync(whole.slice(0, whole.lastIndexOf("/")), { recursive: true });
    Deno.writeFileSync(whole, typeof data === "string" ? utf8(data) : data);
  }
}

/** A few kilobytes: texts, noise, equal files, an empty one, an empty folder, links. */
export function writeSmallSource(folder: string): void {
  writeFiles(folder, {
    "a/text": "some text\n".repeat(300),
    "a/noise": noise("noise", 20_000),
    "a/b/copy": "some text\n".repeat(300),
    "a/b/empty": "",
    "c/last": noise("last", 3000),
    "top": "top",
  });
  Deno.mkdirSync(`${folder}/hollow`);
  Deno.symlinkSync("a/text", `${folder}/link`);
  Deno.linkSync(`${folder}/a/noise`, `${folder}/c/noise`);
}

/** What a second backup finds: changed, new, gone and renamed. */
export function changeSmallSource(folder: string): void {
  writeFiles(folder, { "a/text": "other text\n".repeat(200), "c/new": noise("new", 9000), "d/deep/er": "deeper" });
  Deno.removeSync(`${folder}/top`);
  Deno.renameSync(`${folder}/a/b/copy`, `${folder}/a/b/renamed`);
}

/** Waits until a file that is written now gets another time than one that was written before. */
export async function nextTick(): Promise<void> {
  const probe = await Deno.makeTempFile();
  const before = Deno.lstatSync(probe).mtime!.getTime();
  while (Deno.lstatSync(probe).mtime!.getTime() === before) {
    await systemClock.sleep(2);
    Deno.writeTextFileSync(probe, "x");
  }
  Deno.removeSync(probe);
}
