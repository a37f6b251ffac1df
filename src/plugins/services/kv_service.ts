/**
 * Notes of one plugin: a table of a SQLite file of its own, so that several instances, generations and processes can use them
 * at once, and a process that is killed leaves the state before or after a change.
 */
import type { DatabaseSync } from "node:sqlite";
import { dirname } from "node:path";
import { type Bytes, utf8 } from "../../base/bytes.ts";
import type { Json } from "../../base/canonical_json.ts";
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { type CapabilityService, type ServiceAnswer, ServiceRefusal } from "../capability_service.ts";

/** Printable ASCII but for what JSON would make longer, so that a list of all keys stays as short as they are. */
const KEY = /^[!#-\[\]-~]{1,256}$/;
/** Of an entry beyond its key and value. */
const ENTRY_BYTES = 8;
const PRIVATE_FILE = 0o600, PRIVATE_FOLDER = 0o700;
const RETRY_MS = 5;
const SQLITE_BUSY = /\b(locked|busy)\b/;

const SCHEMA = "CREATE TABLE IF NOT EXISTS notes (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID";
const USED = `SELECT coalesce(sum(length(key) + length(value) + ${ENTRY_BYTES}), 0) AS bytes FROM notes WHERE key <> ?`;

/** @param file Made by the first request, with the folders above it */
export function kvService(file: string, clock: Clock): CapabilityService {
  let opened: Promise<DatabaseSync> | undefined;
  const open = () =>
    opened ??= openNotes(file).catch((error) => {
      opened = undefined;
      throw error;
    });
  return {
    bodyBytesMax: LIMITS.pluginKvBytesMax,
    async answer(request, body, signal) {
      const until = clock.monotonicMs() + LIMITS.pluginKvWaitMs;
      for (;;) {
        try {
          return change(await open(), request, body);
        } catch (error) {
          if (error instanceof ServiceRefusal) throw error;
          if (!SQLITE_BUSY.test(messageOf(error))) {
            throw new ServiceRefusal("permanent", `its notes in ${file} cannot be used: ${messageOf(error)}`);
          }
          if (clock.monotonicMs() > until) throw new ServiceRefusal("transient", "another process writes its notes");
          await clock.sleep(RETRY_MS, signal);
        }
      }
    },
    async close() {
      (await opened?.catch(() => undefined))?.close();
    },
  };
}

async function openNotes(file: string): Promise<DatabaseSync> {
  const { DatabaseSync } = await import("node:sqlite");
  await Deno.mkdir(dirname(file), { recursive: true, mode: PRIVATE_FOLDER });
  (await Deno.open(file, { create: true, write: true, mode: PRIVATE_FILE })).close();
  const database = new DatabaseSync(file);
  try {
    database.exec("PRAGMA busy_timeout = 10; PRAGMA trusted_schema = OFF; PRAGMA synchronous = FULL");
    database.exec(SCHEMA);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function change(database: DatabaseSync, request: Json, body: Bytes): ServiceAnswer {
  const { op, key } = request as { op: string; key?: string };
  const isKey = op === "keys" || (key !== undefined && KEY.test(key));
  if (!isKey) {
    throw new ServiceRefusal("invalid_input", `${JSON.stringify(key?.slice(0, 80))} is no key: 1 to 256 characters`);
  }
  switch (op) {
    case "get": {
      const row = database.prepare("SELECT value FROM notes WHERE key = ?").get(key!);
      if (row === undefined) throw new ServiceRefusal("not_found", "there is no such key");
      return { response: new Uint8Array(row.value as Uint8Array) };
    }
    case "set":
      return set(database, key!, body);
    case "delete":
      database.prepare("DELETE FROM notes WHERE key = ?").run(key!);
      return { response: new Uint8Array(0) };
    default: {
      const rows = database.prepare("SELECT key FROM notes ORDER BY key").all();
      return { response: utf8(JSON.stringify(rows.map((row) => row.key))) };
    }
  }
}

function set(database: DatabaseSync, key: string, value: Bytes): ServiceAnswer {
  database.exec("BEGIN IMMEDIATE");
  try {
    const used = Number(database.prepare(USED).get(key)!.bytes) + key.length + value.length + ENTRY_BYTES;
    if (used > LIMITS.pluginKvBytesMax) {
      throw new ServiceRefusal("quota", `with it there were ${used} of at most ${LIMITS.pluginKvBytesMax} bytes`);
    }
    database.prepare("INSERT OR REPLACE INTO notes VALUES (?, ?)").run(key, value);
    database.exec("COMMIT");
    return { response: new Uint8Array(0) };
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}
