/**
 * Imported before the SDK, whose import reads environment variables, which a sandbox without permissions may not do.
 * Works in workers only, where nothing else needs them.
 */
import process from "node:process";

Object.defineProperty(process, "env", { value: Object.freeze({ __proto__: null }) });
