/** The program as people run it: from source, or the compiled binary that AXIOM_E2E_BINARY names. */
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { V8_FLAGS } from "../../.ci/compile.ts";
import { seededRandom } from "../fixtures/fixed.ts";

const root = new URL("../../", import.meta.url);
const main = fileURLToPath(new URL("main.ts", root));
const config = fileURLToPath(new URL("deno.json", root));
const binary = Deno.env.get("AXIOM_E2E_BINARY");

/** The program and the words before its own. */
export const PROGRAM: readonly [string, ...string[]] = binary
  ? [binary]
  : [Deno.execPath(), "run", "--quiet", "-A", "--no-check", "--config", config, V8_FLAGS, main];

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
  bytes: Uint8Array;
  /** All of stdout as one JSON value. */
  // deno-lint-ignore no-explicit-any
  json(): any;
  /** The last line of stdout as a JSON value. */
  // deno-lint-ignore no-explicit-any
  last(): any;
}

export interface RunOptions {
  env?: Record<string, string>;
  /** Bytes for standard input; none by default. */
  stdin?: Uint8Array | string;
  cwd?: string;
}

/** A machine of its own: home, repository, and the secret that opens it. */
export class Machine {
  readonly repository: string;
  readonly home: string;
  readonly keyFile: string;

  private constructor(readonly folder: string) {
    this.repository = join(folder, "repository");
    this.home = join(folder, "home");
    this.keyFile = join(folder, "key");
  }

  static async make(): Promise<Machine> {
    const machine = new Machine(await Deno.makeTempDir({ prefix: "axiom-e2e-" }));
    await Deno.mkdir(machine.home);
    await Deno.writeFile(machine.keyFile, seededRandom("key")(64));
    return machine;
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  /** A key file, because it costs no time; tests of passwords take it away. */
  environment(): Record<string, string> {
    const { HOME: _, ...env } = Deno.env.toObject();
    for (const name of Object.keys(env)) if (/^(AXIOM_|XDG_)/.test(name)) delete env[name];
    return {
      ...env,
      HOME: this.home,
      DENO_DIR: Deno.env.get("DENO_DIR") ?? join(Deno.env.get("HOME") ?? "", ".cache", "deno"),
      NO_COLOR: "1",
      TZ: "UTC",
      AXIOM_REPOSITORY: this.repository,
      AXIOM_CONFIG_REPOSITORY_KEY_FILE: this.keyFile,
    };
  }

  command(args: readonly string[], options: RunOptions = {}): Deno.Command {
    const [program, ...before] = PROGRAM;
    return new Deno.Command(program, {
      args: [...before, ...args],
      clearEnv: true,
      env: { ...this.environment(), ...options.env },
      cwd: options.cwd ?? this.folder,
      stdin: options.stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    });
  }

  async run(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
    const child = this.command(args, options).spawn();
    if (options.stdin !== undefined) {
      const data = typeof options.stdin === "string" ? new TextEncoder().encode(options.stdin) : options.stdin;
      await new Blob([data as Uint8Array<ArrayBuffer>]).stream().pipeTo(child.stdin).catch(() => {}); // it may have ended
    }
    return ended(await child.output());
  }

  async remove(): Promise<void> {
    await new Deno.Command("chmod", { args: ["-R", "u+rwX", this.folder] }).output();
    await Deno.remove(this.folder, { recursive: true });
  }
}

export function ended({ code, stdout, stderr }: Deno.CommandOutput): Ended {
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout);
  return {
    code,
    stdout: text,
    stderr: decoder.decode(stderr),
    bytes: stdout,
    json: () => JSON.parse(text),
    last: () => JSON.parse(text.trimEnd().split("\n").at(-1)!),
  };
}

/** Makes a machine for a test and takes it away afterwards. */
export function onMachine(body: (machine: Machine, t: Deno.TestContext) => Promise<void>) {
  return async (t: Deno.TestContext) => {
    const machine = await Machine.make();
    try {
      await body(machine, t);
    } finally {
      await machine.remove();
    }
  };
}
