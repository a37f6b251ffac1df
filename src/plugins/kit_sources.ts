/** The files of the kit, in the program itself: `deno compile` has them inside. */
import abi from "../../plugin-pdk/abi.md" with { type: "text" };
import assemblyscriptLibrary from "../../plugin-pdk/assemblyscript/axiom.ts" with { type: "text" };
import assemblyscriptCompression from "../../plugin-pdk/assemblyscript/templates/compression.ts" with { type: "text" };
import assemblyscriptFilter from "../../plugin-pdk/assemblyscript/templates/filter.ts" with { type: "text" };
import assemblyscriptNotification from "../../plugin-pdk/assemblyscript/templates/notification.ts" with {
  type: "text",
};
import assemblyscriptProcessing from "../../plugin-pdk/assemblyscript/templates/processing.ts" with { type: "text" };
import assemblyscriptSource from "../../plugin-pdk/assemblyscript/templates/source.ts" with { type: "text" };
import assemblyscriptStorage from "../../plugin-pdk/assemblyscript/templates/storage.ts" with { type: "text" };
import assemblyscriptStrategy from "../../plugin-pdk/assemblyscript/templates/strategy.ts" with { type: "text" };
import cLibrary from "../../plugin-pdk/c/axiom.h" with { type: "text" };
import cCompression from "../../plugin-pdk/c/templates/compression.c" with { type: "text" };
import cFilter from "../../plugin-pdk/c/templates/filter.c" with { type: "text" };
import cNotification from "../../plugin-pdk/c/templates/notification.c" with { type: "text" };
import cProcessing from "../../plugin-pdk/c/templates/processing.c" with { type: "text" };
import cSource from "../../plugin-pdk/c/templates/source.c" with { type: "text" };
import cStorage from "../../plugin-pdk/c/templates/storage.c" with { type: "text" };
import cStrategy from "../../plugin-pdk/c/templates/strategy.c" with { type: "text" };
import goLibrary from "../../plugin-pdk/go/axiom/axiom.go" with { type: "text" };
import goCompression from "../../plugin-pdk/go/templates/compression.go" with { type: "text" };
import goEncryption from "../../plugin-pdk/go/templates/encryption.go" with { type: "text" };
import goFilter from "../../plugin-pdk/go/templates/filter.go" with { type: "text" };
import goNotification from "../../plugin-pdk/go/templates/notification.go" with { type: "text" };
import goProcessing from "../../plugin-pdk/go/templates/processing.go" with { type: "text" };
import goSource from "../../plugin-pdk/go/templates/source.go" with { type: "text" };
import goStorage from "../../plugin-pdk/go/templates/storage.go" with { type: "text" };
import goStrategy from "../../plugin-pdk/go/templates/strategy.go" with { type: "text" };
import rustLibrary from "../../plugin-pdk/rust/axiom.rs" with { type: "text" };
import rustCompression from "../../plugin-pdk/rust/templates/compression.rs" with { type: "text" };
import rustEncryption from "../../plugin-pdk/rust/templates/encryption.rs" with { type: "text" };
import rustFilter from "../../plugin-pdk/rust/templates/filter.rs" with { type: "text" };
import rustNotification from "../../plugin-pdk/rust/templates/notification.rs" with { type: "text" };
import rustProcessing from "../../plugin-pdk/rust/templates/processing.rs" with { type: "text" };
import rustSource from "../../plugin-pdk/rust/templates/source.rs" with { type: "text" };
import rustStorage from "../../plugin-pdk/rust/templates/storage.rs" with { type: "text" };
import rustStrategy from "../../plugin-pdk/rust/templates/strategy.rs" with { type: "text" };
import zigLibrary from "../../plugin-pdk/zig/axiom.zig" with { type: "text" };
import zigCompression from "../../plugin-pdk/zig/templates/compression.zig" with { type: "text" };
import zigEncryption from "../../plugin-pdk/zig/templates/encryption.zig" with { type: "text" };
import zigFilter from "../../plugin-pdk/zig/templates/filter.zig" with { type: "text" };
import zigNotification from "../../plugin-pdk/zig/templates/notification.zig" with { type: "text" };
import zigProcessing from "../../plugin-pdk/zig/templates/processing.zig" with { type: "text" };
import zigSource from "../../plugin-pdk/zig/templates/source.zig" with { type: "text" };
import zigStorage from "../../plugin-pdk/zig/templates/storage.zig" with { type: "text" };
import zigStrategy from "../../plugin-pdk/zig/templates/strategy.zig" with { type: "text" };
import cargoToml from "../../plugin-pdk/rust/templates/Cargo.toml" with { type: "text" };
import type { Category } from "./manifest.ts";

export interface KitSources {
  readonly library: string;
  /** A plugin that does the least of what its category must. */
  readonly templates: Readonly<Partial<Record<Category, string>>>;
}

export { abi, cargoToml };

export const KIT_SOURCES = {
  assemblyscript: {
    library: assemblyscriptLibrary,
    templates: {
      compression: assemblyscriptCompression,
      filter: assemblyscriptFilter,
      notification: assemblyscriptNotification,
      processing: assemblyscriptProcessing,
      source: assemblyscriptSource,
      storage: assemblyscriptStorage,
      strategy: assemblyscriptStrategy,
    },
  },
  c: {
    library: cLibrary,
    templates: {
      compression: cCompression,
      filter: cFilter,
      notification: cNotification,
      processing: cProcessing,
      source: cSource,
      storage: cStorage,
      strategy: cStrategy,
    },
  },
  go: {
    library: goLibrary,
    templates: {
      compression: goCompression,
      encryption: goEncryption,
      filter: goFilter,
      notification: goNotification,
      processing: goProcessing,
      source: goSource,
      storage: goStorage,
      strategy: goStrategy,
    },
  },
  rust: {
    library: rustLibrary,
    templates: {
      compression: rustCompression,
      encryption: rustEncryption,
      filter: rustFilter,
      notification: rustNotification,
      processing: rustProcessing,
      source: rustSource,
      storage: rustStorage,
      strategy: rustStrategy,
    },
  },
  zig: {
    library: zigLibrary,
    templates: {
      compression: zigCompression,
      encryption: zigEncryption,
      filter: zigFilter,
      notification: zigNotification,
      processing: zigProcessing,
      source: zigSource,
      storage: zigStorage,
      strategy: zigStrategy,
    },
  },
} as const satisfies Record<string, KitSources>;

export type Language = keyof typeof KIT_SOURCES;
