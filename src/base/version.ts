import manifest from "../../deno.json" with { type: "json" };

/** Version of the program, such as `0.1.0`; each snapshot records it. */
export const TOOL_VERSION: string = manifest.version;
