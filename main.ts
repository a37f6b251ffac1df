import { processEnvironment } from "./src/cli/process_environment.ts";
import { runCommandLine } from "./src/cli/run.ts";

const exit = (code: number) => Deno.exit(code);

if (import.meta.main) exit(await runCommandLine(Deno.args, processEnvironment(exit)));
