import { type Bytes, equalBytes, utf8 } from "../base/bytes.ts";
import { type Check, type CheckContext, RuleBroken } from "./conformance.ts";
import { noise, text } from "./conformance_samples.ts";
import { type FilterEntry, filterInput } from "./filter_entries.ts";
import type { InstancePool } from "./instance_pool.ts";

/** As many as one call ever has. */
const BATCH = 1000;

export function filterChecks(): Check[] {
  return [
    { group: "properties", name: "answers for every entry", isBasic: true, run: answers },
    { group: "properties", name: "answers nothing for nothing", run: answersNothing },
    { group: "properties", name: "says the same of an entry in any company", run: isPure },
    { group: "properties", name: "says the same in a fresh instance", run: isRepeatable },
    { group: "speed", name: "1,000 entries a call", run: speed },
  ];
}

function entry(path: string | Bytes, kind: FilterEntry["kind"], sizeBytes: number, firstBytes = noise(0)): FilterEntry {
  const name = typeof path === "string" ? utf8(path) : path;
  return { kind, mode: 0o644, sizeBytes, modifiedNs: 1_700_000_000_000_000_000n, path: name, firstBytes };
}

/** Names that people have, and names that nobody should. */
function entries(): FilterEntry[] {
  const few = [
    entry("a", "file", 0),
    entry("notes.txt", "file", 12, utf8("Dear reader,")),
    entry("home/user/.env", "file", 30, utf8("TOKEN=x\n")),
    entry("cache.tmp", "file", 0),
    entry("folder.tmp", "folder", 4096),
    entry("link", "link", 7),
    entry("pipe", "other", 0),
    entry(`${"deep/".repeat(800)}file`, "file", Number.MAX_SAFE_INTEGER),
    entry("Ünïcødé/文件.txt", "file", 5),
    entry(Uint8Array.of(0x66, 0xff, 0xfe, 0x80), "file", 1, noise(4096)),
    entry('line\nbreak\tand "quotes"', "file", 1),
    { ...entry("before 1970", "file", 1), modifiedNs: -1n, mode: 0xffffffff },
  ];
  const many = Array.from({ length: BATCH - few.length }, (_, i) => {
    const kind = i % 10 === 0 ? "folder" : "file";
    return entry(`src/part${i % 37}/file${i}.${["ts", "tmp", "key", "md"][i % 4]}`, kind, i * 17, text(i % 50, i));
  });
  return [...few, ...many];
}

async function select(pool: InstancePool, list: readonly FilterEntry[]): Promise<Bytes> {
  const parameters = { entries: list.length }, input = filterInput(list);
  const call = { verb: "execute", operation: "select", parameters, input, outputBytesMax: list.length } as const;
  const { output } = await pool.call(call);
  if (output.length !== list.length) {
    throw new RuleBroken(`it answered ${output.length} bytes for ${list.length} entries`);
  }
  const odd = output.findIndex((byte) => byte > 1);
  if (odd >= 0) throw new RuleBroken(`it answered ${output[odd]} for an entry, where 0 and 1 are answers`);
  return output.slice();
}

async function answers({ pool }: CheckContext): Promise<string> {
  const kept = (await select(pool, entries())).reduce((sum, byte) => sum + byte, 0);
  return `saves ${kept} of ${BATCH}`;
}

async function answersNothing({ pool }: CheckContext): Promise<string> {
  await select(pool, []);
  return "no entry, no answer";
}

async function isPure({ pool }: CheckContext): Promise<string> {
  const all = entries(), together = await select(pool, all);
  const backwards = (await select(pool, all.toReversed())).reverse();
  const halves = [await select(pool, all.slice(0, 7)), await select(pool, all.slice(7))];
  const apart = Uint8Array.from(halves.flatMap((half) => [...half]));
  for (const other of [backwards, apart]) {
    const at = together.findIndex((byte, i) => byte !== other[i]);
    if (at >= 0) throw new RuleBroken(`what it says of entry ${at} depends on the entries beside it`);
  }
  return "backwards and in parts, each has the same answer";
}

async function isRepeatable({ pool, fresh }: CheckContext): Promise<string> {
  const first = await select(pool, entries());
  const again = await fresh((other) => select(other, entries()));
  if (!equalBytes(first, again)) throw new RuleBroken("what it says depends on the calls before");
  return "the same answers";
}

async function speed({ pool, clock }: CheckContext): Promise<string> {
  const all = entries(), from = clock.monotonicMs();
  for (let i = 0; i < 20; i++) await select(pool, all);
  const ms = Math.max(1, clock.monotonicMs() - from);
  return `${Math.round(20 * BATCH * 1000 / ms)} entries a second`;
}
