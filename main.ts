import "./src/platform/quick_start.ts";
import { processEnvironment } from "./src/cli/process_environment.ts";
import { runCommandLine } from "./src/cli/run.ts";
import { startKdfThread } from "./src/repository/kdf_thread.ts";

const exit = (code: number) => Deno.exit(code);

if (import.meta.main) {
  const environment = processEnvironment(exit, async (settings) => {
    if (settings.globals.password.kind === "environment") startKdfThread();
    return (await import("./src/app.ts")).openApp(settings);
  });
  exit(await runCommandLine(Deno.args, environment));
}
