/**
 * Makes one binary of the program: `deno task compile [--target <triple>] [--output <file>]`.
 *
 * Where Deno's download host cannot be reached, `DENORT_BIN` names the runtime to build upon, which must be of the same
 * version as the Deno that runs this.
 */
import { LIBC_PATHS } from "../src/platform/libc.ts";
import { parseArgs } from "node:util";

/** What the program may do, and why. Everything else is refused by Deno. */
export const PERMISSIONS: readonly { flag: string; reason: string }[] = [
  { flag: "--allow-read", reason: "what is saved can lie anywhere, and so can a repository" },
  { flag: "--allow-write", reason: "a restore can go anywhere, and so can a repository" },
  { flag: "--allow-env", reason: "AXIOM_… variables, HOME and XDG_… folders, NO_COLOR, and ${…} in axiom.yaml" },
  { flag: "--allow-net", reason: "hosts that a person granted to a plugin; the program itself connects to none" },
  { flag: "--allow-run", reason: "--password-command and --stdin-from-command run what the user names" },
  { flag: "--allow-sys=hostname,statfs,uid,gid,osRelease", reason: "host and user of a snapshot, kind of file system" },
  {
    flag: `--allow-ffi=${[...new Set(Object.values(LIBC_PATHS).flat())].join(",")}`,
    reason: "names as bytes, nanoseconds, owners, attributes and holes are calls of the C library",
  },
];

/** Workers are found by their URL, which the compiler does not follow. */
const WORKERS = ["src/stages/worker.ts", "src/repository/kdf_worker.ts", "src/plugins/sandbox_worker.ts"];

/** Small young generations and whole collections: a third less memory and a fifth less time for short-lived buffers. */
export const V8_FLAGS =
  "--v8-flags=--expose-gc,--max-semi-space-size=4,--single-threaded-gc,--no-incremental-marking,--optimize-for-size";

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args,
    options: { target: { type: "string" }, output: { type: "string", default: "dist/axiom" } },
  });
  const command = new Deno.Command(Deno.execPath(), {
    args: [
      "compile",
      "--no-check", // `deno task check` did
      "--no-prompt",
      "--quiet",
      ...PERMISSIONS.map(({ flag }) => flag),
      V8_FLAGS,
      ...WORKERS.flatMap((worker) => ["--include", worker]),
      ...(values.target === undefined ? [] : ["--target", values.target]),
      "--output",
      values.output,
      "main.ts",
    ],
  });
  const { code } = await command.spawn().status;
  Deno.exit(code);
}
