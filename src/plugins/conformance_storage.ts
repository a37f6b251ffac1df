import { type Bytes, equalBytes, MIB, toHex } from "../base/bytes.ts";
import { formatSize } from "../base/sizes.ts";
import { type Check, type CheckContext, RuleBroken } from "./conformance.ts";
import { type Asked, classOf, leavingCheck, networkCheck } from "./conformance_network.ts";
import { noise, text } from "./conformance_samples.ts";
import { PluginFailure } from "./plugin_failure.ts";
import { resultOf } from "./plugin_result.ts";

/** As long as the longest pack that is written. */
const LARGE = 64 * MIB;
const WRITERS = 8;
const LISTED = 25, PAGE = 10;

export function storageChecks(): Check[] {
  return [
    property("stores an object, and has it", storesOne, true),
    property("brings back every byte, and none", bringsBack),
    property("brings back 64 MiB", bringsBackLarge),
    property("writes once", writesOnce),
    property("lets one of many writers win", letsOneWin),
    property("gives ranges", givesRanges),
    property("gives nothing beyond the end", endsAtItsEnd),
    property("says not_found of what is not there", knowsWhatIsAbsent),
    property("deletes, also what is gone", deletes),
    property("lists everything once, page by page", listsAll),
    networkCheck(() =>
      Promise.resolve([
        { operation: "put", parameters: { key: "axiom-test/none", length: 1 }, input: new Uint8Array(1) },
        { operation: "get", parameters: { key: "axiom-test/none" } },
        { operation: "stat", parameters: { key: "axiom-test/none" } },
        { operation: "list", parameters: { prefix: "axiom-test/", limit: PAGE } },
        { operation: "delete", parameters: { key: "axiom-test/none" } },
      ])
    ),
    leavingCheck(() => Promise.resolve({ operation: "get", parameters: { key: "axiom-test/none" } })),
    { ...property("4 MiB, there and back", speed), group: "speed" },
  ];
}

/** What is stored is taken away afterwards, whatever came of it. */
function property(name: string, run: (place: Place) => Promise<string>, isBasic?: true): Check {
  return {
    group: "properties",
    name,
    isBasic,
    async run(context) {
      const place = new Place(context);
      try {
        return await run(place);
      } finally {
        await place.clear();
      }
    },
  };
}

/** Keys that nobody else has. */
class Place {
  readonly prefix: string;
  readonly #keys = new Set<string>();

  constructor(readonly context: CheckContext) {
    this.prefix = `axiom-test/${toHex(context.random(8))}/`;
  }

  /** The class of the error; undefined where it answers 0. */
  async put(name: string, data: Bytes) {
    const key = this.#key(name);
    return await this.#classOf("put", { key, length: data.length }, data);
  }

  async stored(name: string, data: Bytes): Promise<void> {
    const answer = await this.put(name, data);
    if (answer !== undefined) throw new RuleBroken(`put answers ${answer} to a new object of ${data.length} bytes`);
  }

  async get(name: string, range: { offset?: number; length?: number } = {}, bytesMax = LARGE): Promise<Bytes> {
    const { pool, signal } = this.context, parameters = { key: this.#key(name), ...range };
    const call = { verb: "execute", operation: "get", parameters, outputBytesMax: range.length ?? bytesMax } as const;
    return (await pool.call(call, { signal })).output;
  }

  async length(name: string): Promise<unknown> {
    const { pool, signal } = this.context, parameters = { key: this.#key(name) };
    return resultOf(await pool.call({ verb: "execute", operation: "stat", parameters }, { signal })).length;
  }

  async failure(operation: "get" | "stat" | "delete", name: string) {
    return await this.#classOf(operation, { key: this.#key(name) });
  }

  /** Lengths by key, of all pages. */
  async list(prefix: string): Promise<{ found: Map<string, unknown>; pages: number }> {
    const { pool, signal } = this.context, found = new Map<string, unknown>();
    let cursor: unknown, pages = 0;
    do {
      if (pages++ > LISTED) throw new RuleBroken(`the list of ${prefix} has no end`);
      const call = { verb: "execute", operation: "list", parameters: { prefix, cursor, limit: PAGE } } as const;
      const result = resultOf(await pool.call(call, { signal }));
      if (!Array.isArray(result.entries)) throw new RuleBroken("its list has no entries");
      for (const { key, length } of result.entries) {
        if (typeof key !== "string" || !key.startsWith(prefix)) throw new RuleBroken(`it lists ${key} below ${prefix}`);
        if (found.has(key)) throw new RuleBroken(`it lists ${key} twice`);
        found.set(key, length);
      }
      cursor = result.cursor ?? undefined;
    } while (cursor !== undefined);
    return { found, pages };
  }

  async clear(): Promise<void> {
    for (const key of this.#keys) await this.#classOf("delete", { key }).catch(() => {}); // what failed is told
  }

  #key(name: string): string {
    const key = this.prefix + name;
    this.#keys.add(key);
    return key;
  }

  async #classOf(operation: "put" | "get" | "stat" | "delete", parameters: Asked["parameters"], input?: Bytes) {
    return await classOf(this.context.pool, { operation, parameters, input }, this.context.signal);
  }
}

function refuseOther(what: string, wanted: Bytes, found: Bytes): void {
  if (equalBytes(wanted, found)) return;
  const at = wanted.findIndex((byte, i) => byte !== found[i]);
  if (found.length !== wanted.length) throw new RuleBroken(`${what} has ${found.length} bytes, not ${wanted.length}`);
  throw new RuleBroken(`${what} differs at byte ${at} of ${wanted.length}`);
}

async function bringBack(place: Place, name: string, data: Bytes): Promise<void> {
  await place.stored(name, data);
  refuseOther(`what comes back of ${data.length} bytes`, data, await place.get(name));
  const length = await place.length(name);
  if (length !== data.length) throw new RuleBroken(`stat says ${length} of an object of ${data.length} bytes`);
}

async function storesOne(place: Place): Promise<string> {
  await bringBack(place, "a.b-c_d", text(100));
  return "put, get and stat agree";
}

async function bringsBack(place: Place): Promise<string> {
  await bringBack(place, "empty", new Uint8Array(0));
  await bringBack(place, "bytes", Uint8Array.from({ length: 1024 }, (_, i) => i));
  await bringBack(place, "deep/er/noise", noise(MIB + 1));
  return "nothing, every value of a byte, 1 MiB of noise";
}

async function bringsBackLarge(place: Place): Promise<string> {
  const data = new Uint8Array(LARGE), part = noise(MIB);
  for (let at = 0; at < LARGE; at += MIB) data.set(part, at);
  data.set(noise(8, 9), LARGE - 8);
  try {
    await bringBack(place, "large", data);
  } catch (error) {
    const isHonest = error instanceof RuleBroken && / answers quota /.test(error.message);
    if (isHonest) return "it has no room for so much, and says quota";
    throw error;
  }
  refuseOther("its end", data.subarray(LARGE - 8), await place.get("large", { offset: LARGE - 8, length: 8 }));
  return "as a whole, and its end alone";
}

async function writesOnce(place: Place): Promise<string> {
  await place.stored("once", text(20));
  const same = await place.put("once", text(20));
  if (same !== undefined && same !== "conflict") throw new RuleBroken(`put answers ${same} to the same bytes again`);
  for (const other of [noise(20), noise(30), noise(0), noise(19)]) {
    const answer = await place.put("once", other);
    refuseOther("an object that was put again with other bytes", text(20), await place.get("once"));
    if (answer !== "conflict") {
      throw new RuleBroken(`put answers ${answer ?? "0"} to other bytes under a key that is taken`);
    }
  }
  return `conflict for other bytes, ${same ?? "0"} for the same ones`;
}

async function letsOneWin(place: Place): Promise<string> {
  const all = Array.from({ length: WRITERS }, (_, i) => noise(5000, i + 1));
  const answers = await Promise.all(all.map((data) => place.put("raced", data)));
  const winners = answers.flatMap((answer, i) => answer === undefined ? [i] : []);
  if (winners.length !== 1) {
    throw new RuleBroken(`${winners.length} of ${WRITERS} writers of one key were told that they did`);
  }
  const odd = answers.find((answer) => answer !== undefined && answer !== "conflict" && answer !== "transient");
  if (odd !== undefined) throw new RuleBroken(`a writer that came second was told ${odd}`);
  refuseOther("what the winner wrote", all[winners[0]], await place.get("raced"));
  return `one of ${WRITERS}`;
}

async function givesRanges(place: Place): Promise<string> {
  const data = noise(100_000);
  await place.stored("ranges", data);
  for (const [offset, length] of [[0, 1], [0, 100_000], [99_999, 1], [12_345, 6_789]]) {
    const found = await place.get("ranges", { offset, length });
    refuseOther(`${length} bytes from ${offset}`, data.subarray(offset, offset + length), found);
  }
  return "the first byte, all, the last one, and some between";
}

async function endsAtItsEnd(place: Place): Promise<string> {
  await place.stored("ends", text(10));
  for (const [offset, length] of [[0, 11], [9, 2], [10, 1], [1000, 5]]) {
    try {
      const found = await place.get("ends", { offset, length });
      const most = Math.max(0, 10 - offset);
      if (found.length > most) throw new RuleBroken(`it gives ${found.length} bytes from ${offset} of an object of 10`);
    } catch (error) {
      if (!(error instanceof PluginFailure) || error.wasStopped) throw error;
      if (error.failure === "permanent" || error.failure === "invalid_input") continue;
      throw new RuleBroken(`it answers ${error.failure} to a range beyond the end; that is permanent, or fewer bytes`);
    }
  }
  return "permanent, or fewer bytes";
}

async function knowsWhatIsAbsent(place: Place): Promise<string> {
  await place.stored("there", text(10));
  for (const name of ["absent", "absent/below", "there/below"]) {
    for (const operation of ["get", "stat"] as const) {
      const answer = await place.failure(operation, name);
      if (answer !== "not_found") throw new RuleBroken(`${operation} of what is not there answers ${answer ?? "0"}`);
    }
  }
  return "get and stat";
}

async function deletes(place: Place): Promise<string> {
  await place.stored("gone", text(10));
  await place.stored("gone.too", text(10));
  for (const when of ["", " again"]) {
    const answer = await place.failure("delete", "gone");
    if (answer !== undefined) throw new RuleBroken(`delete answers ${answer}${when === "" ? "" : " to what is gone"}`);
    if (await place.failure("stat", "gone") !== "not_found") throw new RuleBroken("what was deleted is still there");
  }
  const { found } = await place.list(place.prefix);
  if (found.size !== 1) throw new RuleBroken(`after one of two was deleted, ${found.size} are listed`);
  await bringBack(place, "gone", noise(20));
  return "gone, and room for another one";
}

async function listsAll(place: Place): Promise<string> {
  const wanted = new Map<string, number>();
  for (let i = 0; i < LISTED; i++) {
    const name = `${i % 2 === 0 ? "even" : "odd"}/${i}`;
    await place.stored(name, text(i));
    wanted.set(place.prefix + name, i);
  }
  const { found, pages } = await place.list(place.prefix);
  for (const [key, length] of wanted) {
    if (!found.has(key)) throw new RuleBroken(`it does not list ${key}`);
    if (found.get(key) !== length) throw new RuleBroken(`it lists ${key} with ${found.get(key)} bytes, not ${length}`);
  }
  if (found.size !== LISTED) throw new RuleBroken(`it lists ${found.size} keys of ${LISTED}`);
  const { found: odd } = await place.list(`${place.prefix}odd/`);
  if (odd.size !== LISTED >> 1) throw new RuleBroken(`it lists ${odd.size} of ${LISTED >> 1} below a folder`);
  const { found: none } = await place.list(`${place.prefix}none/`);
  if (none.size > 0) throw new RuleBroken("it lists something below a folder that is not there");
  return `${LISTED} in ${pages} ${pages === 1 ? "page" : "pages"}`;
}

async function speed(place: Place): Promise<string> {
  const { clock } = place.context, data = noise(4 * MIB), times: number[] = [];
  const timed = async (call: () => Promise<unknown>) => {
    const from = clock.monotonicMs();
    await call();
    times.push(Math.max(1, clock.monotonicMs() - from));
  };
  await timed(() => place.stored("speed", data));
  await timed(() => place.get("speed"));
  return `put ${formatSize(4 * MIB * 1000 / times[0])}/s, get ${formatSize(4 * MIB * 1000 / times[1])}/s`;
}
