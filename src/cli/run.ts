import { AxiomError } from "../base/errors.ts";
import type { PluginRun } from "../base/events.ts";
import { asksInstead, findCommand, parseArguments, type ParsedArguments } from "./arguments.ts";
import type { AnyCommand, CommandTable } from "./command.ts";
import { COMMANDS } from "./command_table.ts";
import type { App } from "./app.ts";
import type { CommandContext, Environment } from "./context.ts";
import { failureOf, isBug, withReport } from "./failure.ts";
import type { GlobalOptions } from "./global_flags.ts";
import { Output, OutputClosed } from "./output.ts";
import { pluginRunJson, pluginRunText } from "./plugin_run_text.ts";
import { Teller } from "./teller.ts";

/** A command with everything that its line said. */
interface Prepared {
  command: AnyCommand;
  options: unknown;
  globals: GlobalOptions;
}

/**
 * Runs what `argv` asks for. Prints results and errors, and throws nothing.
 *
 * @returns The exit code
 */
export async function runCommandLine(
  argv: readonly string[],
  environment: Environment,
  commands: CommandTable = COMMANDS,
): Promise<number> {
  const run = new Run(environment, commands);
  const uncaught = Promise.withResolvers<never>();
  uncaught.promise.catch(() => {});
  const stops = [environment.onInterrupt(() => run.interrupt()), environment.onUncaught(uncaught.reject)];
  try {
    return await Promise.race([run.start(argv), uncaught.promise]);
  } catch (error) {
    return await run.fail(error);
  } finally {
    run.output.finish();
    for (const stop of stops) stop();
  }
}

class Run {
  output: Output;
  readonly #environment: Environment;
  readonly #commands: CommandTable;
  readonly #controller = new AbortController();
  readonly #variable = (name: string) => this.#environment.variable(name);
  #what = "axiom";
  #quiet = false;
  #app: Promise<App> | undefined;
  #teller: Teller | undefined;

  constructor(environment: Environment, commands: CommandTable) {
    this.#environment = environment;
    this.#commands = commands;
    this.output = outputOf(environment, QUIET, false);
  }

  /** The first time ends the operation in good order, the second the process. */
  interrupt(): void {
    if (this.#controller.signal.aborted) {
      this.output.finish();
      this.#environment.exit(130);
    }
    this.#controller.abort(new AxiomError("interrupted", `Cannot finish ${this.#what}: interrupted`));
    this.output.notice("Interrupted, ending in good order; once more ends at once");
  }

  async start(argv: readonly string[]): Promise<number> {
    // Until the flags are understood, a failure is shown in the form that was asked for.
    const json = argv.slice(0, argv.includes("--") ? argv.indexOf("--") : undefined).includes("--json");
    this.output = outputOf(this.#environment, { ...QUIET, json }, false);
    const prepared = await this.#prepare(argv);
    if (prepared === undefined) return 2;
    const { command, globals } = prepared;
    this.output = outputOf(this.#environment, globals, command.stream ?? false);
    this.#quiet = globals.quiet;
    try {
      const { result, exitCode, told } = await this.#perform(prepared);
      if (command.writes) this.output.finish();
      else if (this.output.json) this.output.printJson(withRuns(command, command.json(result), told));
      else if (!(this.#quiet && (command.stream || command.acts) && exitCode === 0)) {
        this.output.print([command.render(result, this.output.renderContext), ...told.map(pluginRunText)].join("\n"));
      }
      await this.#close();
      return exitCode;
    } catch (error) {
      await this.#close().catch(() => {}); // the first failure is the one to tell
      if (error instanceof OutputClosed) return 0;
      throw error;
    }
  }

  /** Runs the command and tells of its end, also of a failure. */
  async #perform({ command, options, globals }: Prepared) {
    const teller = this.#teller = new Teller(command, command.isTrial?.(options) ?? false);
    try {
      const result = await command.run(options, this.#context(globals, teller));
      const exitCode = command.exitCode?.(result) ?? 0;
      return { result, exitCode, told: await teller.ended(result, exitCode) };
    } catch (thrown) {
      const { error, exitCode } = failureOf(thrown, this.#what, this.#controller.signal);
      await teller.failed(error, exitCode);
      throw thrown;
    }
  }

  /** Undefined where no command was given: help was shown instead. */
  async #prepare(argv: readonly string[]): Promise<Prepared | undefined> {
    const request = findCommand(argv, this.#commands);
    if (request.kind !== "run") return await this.#instead(request.kind, request.name, request.words);
    const entry = this.#commands.find((each) => each.name === request.name);
    if (entry === undefined) return await this.#withoutCommand(request.name, request.words);
    this.#what = entry.name;
    const command = await entry.load();
    const instead = asksInstead(request.words, command);
    if (instead !== undefined) return await this.#instead(instead, entry.name, request.words);
    return prepared(command, parseArguments(request.words, command, this.#variable));
  }

  /** `--help` and `--version` stand for the commands of that name. */
  async #instead(name: "help" | "version", about: string, words: readonly string[]): Promise<Prepared> {
    const command = await this.#load(name);
    const arguments_ = name === "help" && about !== "" ? about.split(" ") : [];
    const json = words.includes("--json") ? ["--json"] : [];
    return prepared(command, parseArguments([...json, ...arguments_], command, this.#variable));
  }

  async #withoutCommand(name: string, words: readonly string[]): Promise<undefined> {
    if (name !== "" || words.length > 0) {
      const what = name === "" ? "axiom: no command is given" : `${name}: its subcommand is missing`;
      throw new AxiomError("usage", `Cannot run ${what}`, { hint: `Run \`${`axiom help ${name}`.trim()}\`` });
    }
    const { command, options, globals } = await this.#instead("help", "", []);
    const page = await command.run(options, this.#context(globals));
    this.output.explain(command.render(page, this.output.renderContext));
    return undefined;
  }

  async #load(name: string): Promise<AnyCommand> {
    const entry = this.#commands.find((each) => each.name === name);
    if (entry === undefined) throw new AxiomError("usage", `Cannot run ${name}: this program has no such command`);
    return await entry.load();
  }

  #context(globals: GlobalOptions, teller?: Teller): CommandContext {
    const environment = this.#environment, signal = this.#controller.signal;
    return {
      globals,
      environment,
      output: this.output,
      signal,
      commands: this.#commands,
      app: async (flags = []) => {
        if (environment.openApp === undefined) throw new Error("this process was made without a way to open the app");
        this.#app ??= environment.openApp({ globals, flags, environment, events: this.output.events, signal })
          .then((app) => this.#configured(app, globals));
        const app = await this.#app;
        await teller?.ready(app);
        return app;
      },
    };
  }

  /** What the configuration says of the output counts from here on, unless a flag said otherwise. */
  #configured(app: App, globals: GlobalOptions): App {
    const { json, verbosity, progress, color } = app.config.output;
    const isSilent = globals.quiet || (verbosity === "quiet" && globals.verbosity === 0);
    this.#quiet = isSilent;
    this.output.change({
      json: globals.json || json,
      progress: globals.progress && progress && !isSilent,
      verbosity: isSilent ? -1 : globals.verbosity || (verbosity === "verbose" ? 1 : 0),
      color,
    });
    return app;
  }

  async #close(): Promise<void> {
    const app = await this.#app?.catch(() => undefined);
    this.#app = undefined;
    await app?.close();
  }

  /** Prints what was thrown and returns the exit code. */
  async fail(thrown: unknown): Promise<number> {
    const failure = failureOf(thrown, this.#what, this.#controller.signal);
    await this.#teller?.failed(failure.error, failure.exitCode); // of what nobody caught
    if (!isBug(failure) && this.#environment.variable("AXIOM_DEBUG") === "1") this.output.notice(failure.stack);
    const error = isBug(failure) ? await withReport(failure, this.#what, this.#environment) : failure.error;
    this.output.error(error, failure.exitCode);
    return failure.exitCode;
  }
}

function prepared(command: AnyCommand, { globals, values, positionals }: ParsedArguments): Prepared {
  return { command, globals, options: command.parse(values, positionals) };
}

/** What a command tells has its place among what it prints. */
function withRuns({ tells }: AnyCommand, value: unknown, runs: readonly PluginRun[]): unknown {
  return tells === undefined ? value : { ...value as object, notifications: runs.map(pluginRunJson) };
}

type OutputGlobals = Pick<GlobalOptions, "json" | "progress" | "verbosity">;

/** Before the flags are known. */
const QUIET: OutputGlobals = { json: false, progress: false, verbosity: 0 };

function outputOf(environment: Environment, globals: OutputGlobals, stream: boolean): Output {
  const { stdout, stderr, clock } = environment;
  const { json, progress, verbosity } = globals;
  const variable = (name: string) => environment.variable(name);
  return new Output({ stdout, stderr, clock, variable, json, progress, verbosity, stream });
}
