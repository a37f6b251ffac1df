/** The compilers of the plugins in this folder, each pinned, so that a build gives the same bytes anywhere. */
import { existsSync } from "node:fs";
import { join } from "node:path";

export interface Compiler {
  /** A file that only folders of its language have. */
  readonly marker: string;
  /** The library of the kit that its plugins are built with; below `plugin-pdk/`. */
  readonly library: string;
  /** Name and version. */
  readonly pinned: string;
  /** Name and version of what is there; undefined where nothing is. */
  find(): Promise<string | undefined>;
  /** What makes `output` in `folder`; `work` is kept from build to build. */
  build(folder: string, output: string, work: string): Command[];
}

export interface Command {
  readonly line: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const DEBIAN = existsSync("/usr/lib/rustlib/src/rust/library") ? "/usr/bin/" : "";

/**
 * Debian's Rust has no library for WASM, and the sources of one. Cargo finds all of this in the environment, so that the same
 * `cargo build --release` does for those who have `rustup target add wasm32-unknown-unknown`.
 */
export const RUST_ENVIRONMENT: Readonly<Record<string, string>> = DEBIAN === "" ? {} : {
  RUSTC: `${DEBIAN}rustc`,
  RUSTC_BOOTSTRAP: "1",
  CARGO_UNSTABLE_BUILD_STD: "std,panic_abort",
  CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: "wasm-ld",
};

const RUST: Compiler = {
  marker: "Cargo.toml",
  library: "rust/axiom.rs",
  pinned: "rustc 1.96.0",
  find: async () => DEBIAN === "" ? undefined : versionIn(await textOf(`${DEBIAN}rustc`, "--version")),
  build: (folder, output, work) => {
    const name = folder.split("/").at(-1)!;
    return [{
      line: [`${DEBIAN}cargo`, "build", "--locked", "--release", "--quiet", "--target", "wasm32-unknown-unknown"],
      // Where a crate lies on this machine is no part of it.
      env: { ...RUST_ENVIRONMENT, RUSTFLAGS: "-Zlocation-detail=none", CARGO_TARGET_DIR: join(work, "rust") },
    }, { line: ["cp", join(work, "rust/wasm32-unknown-unknown/release", `${name}.wasm`), output] }];
  },
};

export const COMPILERS: readonly Compiler[] = [RUST];

/** The first two words, such as `rustc 1.96.0`. */
function versionIn(text: string | undefined): string | undefined {
  return text?.split(/\s+/).slice(0, 2).join(" ");
}

/** What a program prints; undefined where there is no such program. */
async function textOf(program: string, ...args: string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(program, { args, stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
