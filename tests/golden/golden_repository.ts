/** The committed repository and what must come out of it, as `make_repository.ts` wrote them down. */
import { fromHex } from "../../src/base/bytes.ts";
import { Repository } from "../../src/repository/repository.ts";
import type { Secret } from "../../src/repository/secret.ts";
import { openLocalStore } from "../../src/storage/local.ts";
import { testContext } from "../faults/test_repository.ts";
import type { ListedEntry } from "./listing.ts";

export interface GoldenSnapshot {
  id: string;
  time: string;
  tags: string[];
  entries: ListedEntry[];
}

export interface Golden {
  repositoryId: string;
  /** Path of the snapshots that was saved. */
  source: string;
  password: string;
  secondPassword: string;
  keyFile: Uint8Array<ArrayBuffer>;
  /** SHA-256 of each object by its key. */
  objects: Map<string, string>;
  snapshots: GoldenSnapshot[];
}

export const GOLDEN_FOLDER = new URL("repository/", import.meta.url);

export async function readGolden(): Promise<Golden> {
  const text = await Deno.readTextFile(new URL("repository.jsonl", import.meta.url));
  const [head, ...lines] = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  const objects = new Map<string, string>();
  const snapshots: GoldenSnapshot[] = [];
  for (const line of lines) {
    if ("object" in line) objects.set(line.object, line.sha256);
    else if ("snapshot" in line) snapshots.push({ id: line.snapshot, time: line.time, tags: line.tags, entries: [] });
    else snapshots.at(-1)!.entries.push(line);
  }
  return {
    repositoryId: head.repository_id,
    source: head.source,
    password: head.password,
    secondPassword: head.second_password,
    keyFile: fromHex(head.key_file),
    objects,
    snapshots,
  };
}

export function secretsOf(golden: Golden): Secret[] {
  return [
    { kind: "password", password: golden.password },
    { kind: "password", password: golden.secondPassword },
    { kind: "key_file", bytes: golden.keyFile },
  ];
}

/** Copies the repository into `folder`, so that no test can change the committed one. */
export async function copyGolden(folder: string): Promise<void> {
  const { objects } = await readGolden();
  for (const key of objects.keys()) {
    const path = `${folder}/${key}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeFile(path, await Deno.readFile(new URL(key, GOLDEN_FOLDER)));
  }
}

export async function openGolden(folder: string, secret: Secret): Promise<Repository> {
  return await Repository.open(await openLocalStore(folder), secret, testContext());
}

/** What every user's restore to any file system has: no owners, which only root can set, and no attributes. */
export function portable(entry: ListedEntry): ListedEntry {
  const { uid: _, gid: __, xattrs: ___, ...rest } = entry;
  return rest;
}
