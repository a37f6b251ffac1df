import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Clock } from "../base/clock.ts";
import { isKind, messageOf, throwIfAborted } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { CATALOGUE_SCHEMA, CATALOGUE_VERSION } from "./catalogue_schema.ts";

/**
 * Why a catalogue cannot be used. `busy`: another process writes for longer than we wait. `stale`: of another version or
 * repository. `broken`: anything else. None of these is a user's concern: there is a slower way to every answer.
 */
export class CatalogueFault extends Error {
  override readonly name = "CatalogueFault";
  constructor(readonly kind: "busy" | "stale" | "broken", message: string, options?: { cause?: unknown }) {
    super(message, options);
  }
}

type Value = null | number | string | Uint8Array;
type Row = Record<string, unknown>;

const PRIVATE_FILE = 0o600;

export interface DatabaseContext {
  clock: Clock;
  signal?: AbortSignal;
}

/** An open catalogue file. Every access happens in {@linkcode read} or between {@linkcode begin} and {@linkcode commit}. */
export class CatalogueDatabase {
  readonly #statements = new Map<string, StatementSync>();
  #writing = false;

  private constructor(readonly file: string, readonly database: DatabaseSync, readonly context: DatabaseContext) {}

  /** Makes it if it is missing. Throws {@linkcode CatalogueFault}. */
  static async open(file: string, repositoryId: string, context: DatabaseContext): Promise<CatalogueDatabase> {
    let opened: CatalogueDatabase | undefined;
    try {
      const { DatabaseSync } = await import("node:sqlite");
      (await Deno.open(file, { create: true, write: true, mode: PRIVATE_FILE })).close();
      opened = new CatalogueDatabase(file, new DatabaseSync(file), context);
      await opened.#prepare(repositoryId);
      return opened;
    } catch (error) {
      opened?.close();
      throw faultOf(error);
    }
  }

  async #prepare(repositoryId: string): Promise<void> {
    this.database.exec("PRAGMA busy_timeout = 10; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY");
    this.database.exec(`PRAGMA cache_size = -${LIMITS.catalogueCacheBytes / 1024}; PRAGMA synchronous = NORMAL`);
    const isEmpty = await this.read(() => this.get("SELECT count(*) AS count FROM sqlite_schema")!.count === 0);
    if (isEmpty) await this.#create(repositoryId);
    await this.read(() => {
      const version = this.get("PRAGMA user_version")!.user_version;
      if (version !== CATALOGUE_VERSION) throw new CatalogueFault("stale", `it is of version ${version}`);
      const id = this.get("SELECT value FROM meta WHERE key = 'repository'")?.value;
      if (id !== repositoryId) throw new CatalogueFault("stale", `it is of the repository ${id}`);
    });
  }

  async #create(repositoryId: string): Promise<void> {
    await this.begin();
    // Another process may have made it since we looked.
    if (this.get("SELECT count(*) AS count FROM sqlite_schema")!.count === 0) {
      this.database.exec(`${CATALOGUE_SCHEMA}; PRAGMA user_version = ${CATALOGUE_VERSION}`);
      this.run("INSERT INTO meta VALUES ('repository', ?), ('generation', '0')", repositoryId);
    }
    await this.commit();
  }

  /** Runs queries that see one state of the file. Waits a while for a process that is about to change it. */
  async read<T>(query: () => T): Promise<T> {
    if (this.#writing) return this.#guarded(query);
    await this.#patiently(() => {
      this.database.exec("BEGIN");
      try {
        this.database.exec("SELECT 1 FROM sqlite_schema LIMIT 1"); // takes the lock that BEGIN only announces
      } catch (error) {
        this.#takeBack();
        throw error;
      }
    });
    try {
      return this.#guarded(query);
    } finally {
      this.#takeBack();
    }
  }

  /** Starts a change; others can go on reading. */
  async begin(): Promise<void> {
    if (this.#writing) return;
    await this.#patiently(() => this.database.exec("BEGIN IMMEDIATE"));
    this.#writing = true;
  }

  async commit(): Promise<void> {
    if (!this.#writing) return;
    await this.#patiently(() => this.database.exec("COMMIT"));
    this.#writing = false;
  }

  get isWriting(): boolean {
    return this.#writing;
  }

  /** Takes back what was not committed. */
  rollback(): void {
    if (this.#writing) this.#takeBack();
    this.#writing = false;
  }

  get(sql: string, ...values: Value[]): Row | undefined {
    return this.#guarded(() => this.#statement(sql).get(...values) as Row | undefined);
  }

  all(sql: string, ...values: Value[]): Row[] {
    return this.#guarded(() => this.#statement(sql).all(...values) as Row[]);
  }

  /**
   * Rows one by one, for results that may be large; to be read to the end, or a lock remains. Deno 2.4 gives nothing when a
   * statement is iterated for a second time, so each call makes its own.
   */
  *each(sql: string, ...values: Value[]): Generator<Row> {
    try {
      yield* this.database.prepare(sql).iterate(...values) as Iterable<Row>;
    } catch (error) {
      throw faultOf(error);
    }
  }

  /** Returns the number of the inserted row. */
  run(sql: string, ...values: Value[]): number {
    return this.#guarded(() => Number(this.#statement(sql).run(...values).lastInsertRowid));
  }

  close(): void {
    this.rollback();
    this.#statements.clear();
    try {
      this.database.close();
    } catch {
      // it was not open, or is broken
    }
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, statement = this.database.prepare(sql));
    return statement;
  }

  #takeBack(): void {
    try {
      this.database.exec("ROLLBACK");
    } catch {
      // there was nothing to take back
    }
  }

  #guarded<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw faultOf(error);
    }
  }

  async #patiently(action: () => void): Promise<void> {
    const { clock, signal } = this.context;
    const giveUpMs = clock.monotonicMs() + LIMITS.catalogueWaitMs;
    for (;;) {
      try {
        return action();
      } catch (error) {
        const fault = faultOf(error);
        if (fault.kind !== "busy" || clock.monotonicMs() >= giveUpMs) throw fault;
      }
      await clock.sleep(RETRY_MS, signal).catch(() => {}); // an abort is reported by the next line
      throwIfAborted(signal);
    }
  }
}

const RETRY_MS = 20;

/** `interrupted` is passed on as it is. */
export function faultOf(error: unknown): CatalogueFault {
  if (isKind(error, "interrupted")) throw error;
  if (error instanceof CatalogueFault) return error;
  const message = messageOf(error);
  const kind = /database (table |schema )?is locked/.test(message) ? "busy" : "broken";
  return new CatalogueFault(kind, message, { cause: error });
}
