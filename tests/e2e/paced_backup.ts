/** A backup that a test holds at the point it wants: it saves standard input, and gets more of it when asked to. */
import { Buffer } from "node:buffer";
import { ok, strictEqual as equal } from "node:assert/strict";
import { runs } from "./plugin_fixture.ts";
import { type Ended, ended, type Machine } from "./program.ts";

const PIECE_BYTES = 1_000_000;
const FED_BYTES_MAX = 300_000_000;
const PATIENCE_MS = 60_000;

export class PacedBackup {
  readonly pid: number;
  readonly #child: Deno.ChildProcess;
  readonly #output: Promise<Deno.CommandOutput>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #fed: Uint8Array<ArrayBuffer>[] = [];

  /** @param args Flags of the backup beside `--stdin` and `--json` */
  constructor(machine: Machine, ...args: string[]) {
    this.#child = machine.command(["backup", "--stdin", "--json", ...args], { stdin: "" }).spawn();
    this.#output = this.#child.output();
    this.#input = this.#child.stdin.getWriter();
    this.pid = this.#child.pid;
  }

  /** Gives so many pieces of 1 MB, each other than all before. */
  async feed(pieces: number): Promise<void> {
    for (let i = 0; i < pieces; i++) {
      const piece = runs(`piece ${this.#fed.length}`, PIECE_BYTES);
      this.#fed.push(piece);
      await this.#input.write(piece);
    }
  }

  /** Gives piece after piece until this holds; throws when it does not after 300 MB. */
  async feedUntil(what: string, holds: () => Promise<boolean>): Promise<void> {
    while (!await holds()) {
      if (this.#fed.length * PIECE_BYTES >= FED_BYTES_MAX) throw new Error(`Never came: ${what}`);
      await this.feed(1);
    }
  }

  /** Waits until this holds, while the backup has nothing to read. */
  async waitUntil(what: string, holds: () => Promise<boolean>): Promise<void> {
    const endMs = performance.now() + PATIENCE_MS;
    while (!await holds()) {
      if (performance.now() > endMs) throw new Error(`Never came: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Ends the input, and throws unless the backup ends well. */
  async finish(): Promise<Ended> {
    await this.#input.close();
    const done = ended(await this.#output);
    equal(done.code, 0, `${done.stdout}\n${done.stderr}`);
    return done;
  }

  /** Ends the input of a backup that may have ended by itself. */
  async end(): Promise<Ended> {
    await this.#input.close().catch(() => {});
    return ended(await this.#output);
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await Promise.all([this.#output, this.#input.abort().catch(() => {})]);
  }

  /** Throws unless the newest snapshot gives back what was fed, and nothing in the repository is damaged. */
  async assertRestores(machine: Machine): Promise<void> {
    const dumped = await machine.run(["dump", "latest:/stdin"]);
    equal(dumped.code, 0, dumped.stderr);
    ok(Buffer.concat(this.#fed).equals(dumped.bytes), `${dumped.bytes.length} other bytes than were fed`);
    const checked = await machine.run(["check", "--read-data"]);
    equal(checked.code, 0, checked.stdout + checked.stderr);
  }
}
