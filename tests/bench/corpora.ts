/** Inputs of the benchmark; made once in the work folder and used by every program. */
import { systemRandom } from "../../src/base/random.ts";

const MIB = 1024 * 1024;
const SYSTEM_FOLDERS = ["/usr/share", "/usr/include", "/usr/lib/x86_64-linux-gnu", "/usr/local/go"];

/** A: a copy of system folders, or of `folder`. */
export async function corpusA(work: string, folder: string | undefined): Promise<string> {
  const path = `${work}/A`;
  if (exists(path)) return path;
  for (const source of folder === undefined ? SYSTEM_FOLDERS.filter(exists) : [folder]) {
    await Deno.mkdir(`${path}.part${source}`, { recursive: true });
    const { code } = await new Deno.Command("cp", { args: ["-a", `${source}/.`, `${path}.part${source}/`] }).output();
    if (code !== 0) console.error(`cp -a ${source} ended with ${code}; what it copied is used`);
  }
  await Deno.rename(`${path}.part`, path);
  return path;
}

/** B: one file of random bytes. */
export async function corpusB(work: string, sizeMib: number): Promise<string> {
  const path = `${work}/B.bin`;
  if (exists(path)) return path;
  const file = await Deno.open(path, { write: true, create: true });
  for (let i = 0; i < sizeMib; i++) await file.write(systemRandom(MIB));
  file.close();
  return path;
}

const PAGE_BYTES = 8192;
const PAGE_RANDOM_BYTES = 2200; // compresses to 28 %
const CHANGED_RANDOM_BYTES = 3000;

/** D: a file shaped like a database, in pages. */
export async function corpusD(path: string, sizeMib: number): Promise<void> {
  const file = await Deno.open(path, { write: true, create: true, truncate: true });
  const part = new Uint8Array(MIB);
  for (let i = 0; i < sizeMib; i++) {
    part.fill(0x20);
    for (let at = 0; at < part.length; at += PAGE_BYTES) part.set(systemRandom(PAGE_RANDOM_BYTES), at);
    await file.write(part);
  }
  file.close();
}

/** Rewrites one page in a hundred, chosen at random, in place. */
export async function changePages(path: string, sizeMib: number): Promise<number> {
  const pages = sizeMib * MIB / PAGE_BYTES;
  const chosen = new Set<number>();
  while (chosen.size < Math.floor(pages / 100)) chosen.add(Math.floor(Math.random() * pages));
  const file = await Deno.open(path, { write: true });
  for (const page of chosen) {
    const data = new Uint8Array(PAGE_BYTES).fill(0x21);
    data.set(systemRandom(CHANGED_RANDOM_BYTES));
    await file.seek(page * PAGE_BYTES, Deno.SeekMode.Start);
    await file.write(data);
  }
  file.close();
  return chosen.size;
}

/** Empty and tiny files in one folder. */
export function manyFiles(folder: string, count: number): void {
  Deno.mkdirSync(folder, { recursive: true });
  for (let i = 0; i < count; i++) Deno.writeTextFileSync(`${folder}/file-${String(i).padStart(8, "0")}`, `${i}\n`);
}

export function manyLinks(folder: string, count: number): void {
  Deno.mkdirSync(folder, { recursive: true });
  // ext4 allows 65,000 links to one file.
  for (let i = 0; i < count; i++) {
    const first = `${folder}/first-${Math.floor(i / 50_000)}`;
    if (i % 50_000 === 0) Deno.writeFileSync(first, systemRandom(64 * 1024));
    else Deno.linkSync(first, `${folder}/link-${String(i).padStart(8, "0")}`);
  }
}

export function sparseFile(path: string, sizeBytes: number): void {
  Deno.writeTextFileSync(path, "start");
  Deno.truncateSync(path, sizeBytes);
}

export function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
