/** Plugins are told how backups, restores and checks end. */
import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { type Ended, ended, type Machine, onMachine, type RunOptions } from "./program.ts";

const WEBHOOK = fileURLToPath(
  new URL("../../plugins/notification_webhook/notification_webhook.wasm", import.meta.url),
);
const SECRET = "correct-horse-battery";

interface Hook extends AsyncDisposable {
  readonly port: number;
  /** Bodies that were posted and not looked at yet. */
  // deno-lint-ignore no-explicit-any
  readonly posted: any[];
  /** What the next requests get. */
  answer(): Response | Promise<Response>;
}

function hook(): Hook {
  const own: Omit<Hook, "port"> = {
    posted: [],
    answer: () => new Response(null, { status: 204 }),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    own.posted.push(await request.json());
    return await own.answer();
  });
  return Object.assign(own, { port: server.addr.port });
}

/** Runs the program with the webhook at the server's address. */
function teller(machine: Machine, port: number, env: Record<string, string> = {}) {
  const options: RunOptions = {
    env: {
      AXIOM_CONFIG_PLUGINS_OPTIONS: `notification_webhook.url=http://127.0.0.1:${port}/${SECRET}`,
      ...env,
    },
  };
  return {
    options,
    async run(code: number, ...args: string[]): Promise<Ended> {
      const result = await machine.run(args, options);
      equal(result.code, code, `${args.join(" ")}: ${result.stderr}${result.stdout}`);
      return result;
    },
  };
}

/** A repository, a source with one file, and the webhook, loaded and granted. */
async function prepared(machine: Machine, port: number): Promise<string> {
  const { run } = teller(machine, port);
  await Deno.mkdir(machine.path("source"));
  await Deno.writeTextFile(machine.path("source", "a"), "content");
  await run(0, "init");
  await run(0, "plugin", "load", WEBHOOK);
  await run(0, "plugin", "grant", "notification_webhook", "net.http", "--host", `127.0.0.1:${port}`);
  return machine.path("source");
}

Deno.test(
  "a webhook is told of success, warning and failure, and of no secret",
  onMachine(async (machine) => {
    await using server = hook();
    const source = await prepared(machine, server.port);
    const { run } = teller(machine, server.port);
    const told = () => {
      equal(server.posted.length, 1);
      const [context] = server.posted.splice(0);
      ok(!JSON.stringify(context).includes(SECRET), "the webhook's own address was told");
      return context;
    };

    const good = await run(0, "backup", source, "--notify", "webhook", "--json");
    const { notifications, ...summary } = good.last();
    const context = told();
    const { event, status, command, exit_code, snapshot_id, repository, error, error_count } = context;
    deepEqual([event, status, command, exit_code], ["backup_ended", "SUCCESS", "backup", 0]);
    deepEqual([snapshot_id, repository, error, error_count], [summary.snapshot_id, machine.repository, null, 0]);
    deepEqual({ type: "summary", ...context.summary }, summary);
    match(context.message, /^Saved snapshot [0-9a-f]{8} \(incremental\)\n/);
    ok(context.started < context.ended && context.duration_seconds > 0);
    const [{ plugin_id, version, sha256, status: did, metrics, error: none }] = notifications;
    deepEqual([plugin_id, version, did, metrics, none], ["notification_webhook", "1.0.1", "SUCCESS", {
      http_status: 204,
    }, null]);
    match(sha256, /^[0-9a-f]{64}$/);
    const line = good.stdout.split("\n").map((each) => each === "" ? {} : JSON.parse(each))
      .find(({ type }) => type === "plugin_run");
    deepEqual([line.category, line.plugin_id, line.status], ["notification", "notification_webhook", "SUCCESS"]);

    await run(3, "backup", source, machine.path("gone"), "--notify", "webhook");
    const warned = told();
    deepEqual([warned.status, warned.exit_code, warned.errors[0].kind], ["WARNING", 3, "source_missing"]);
    match(warned.errors[0].message, /gone: no such file/);

    await run(14, "backup", source, "--filter", "none", "--notify", "webhook");
    const failed = told();
    deepEqual([failed.status, failed.exit_code, failed.summary], ["FAILURE", 14, null]);
    deepEqual([failed.error.kind, failed.message], ["plugin_missing", failed.error.message]);

    await run(10, "backup", source, "--repo", machine.path("nowhere"), "--notify", "webhook");
    equal(told().error.kind, "repository_missing");

    await run(0, "restore", "latest", "--target", machine.path("out"), "--notify", "webhook");
    deepEqual([told().event, server.posted.length], ["restore_ended", 0]);
    await run(0, "check", "--notify", "webhook");
    equal(told().event, "check_ended");
    await run(0, "backup", source, "--dry-run", "--notify", "webhook");
    deepEqual(server.posted, []);
  }),
);

Deno.test(
  "the configuration says who is told of which outcome",
  onMachine(async (machine) => {
    await using server = hook();
    const source = await prepared(machine, server.port);
    const { run } = teller(machine, server.port, { AXIOM_CONFIG_BACKUP_NOTIFY: "webhook=warning,failure" });
    const told = () => server.posted.splice(0).map(({ status }) => status);
    await run(0, "backup", source);
    deepEqual(told(), []);
    await run(3, "backup", source, machine.path("gone"));
    deepEqual(told(), ["WARNING"]);
    await run(3, "backup", machine.path("gone"));
    deepEqual(told(), ["FAILURE"]);
    await run(0, "backup", source, "--notify", "webhook=success");
    deepEqual(told(), ["SUCCESS"]);
    match((await run(2, "backup", source, "--notify", "webhook=often")).stderr, /with success, warning and failure/);
  }),
);

Deno.test(
  "a webhook that is down, slow or wrong changes no exit code, and is told",
  onMachine(async (machine, t) => {
    await using server = hook();
    const source = await prepared(machine, server.port);
    const { run } = teller(machine, server.port);
    const held = Promise.withResolvers<Response>();
    const cases = [
      { name: "busy", answer: () => new Response(null, { status: 503 }), why: /transient: the server answers 503/ },
      { name: "wrong", answer: () => new Response(null, { status: 404 }), why: /permanent: the server answers 404/ },
    ];
    const name = /warning: Cannot run notification_webhook 1\.0\.1 \(sha256 [0-9a-f]{12}\): /;
    for (const { name: step, answer, why } of cases) {
      await t.step(step, async () => {
        server.answer = answer;
        const { stderr, stdout } = await run(0, "backup", source, "--notify", "webhook");
        match(stderr, name);
        match(stderr, why);
        match(stderr, /nobody may have been told/);
        match(stdout, /^Plugin: {3}notification_webhook 1\.0\.1 \([0-9a-f]{12}\) failed$/m);
      });
    }
    await t.step("slow", async () => {
      server.answer = () => held.promise;
      const child = machine.command(["backup", source, "--notify", "webhook"], teller(machine, server.port).options)
        .spawn();
      const output = child.output();
      server.posted.length = 0;
      while (server.posted.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      child.kill("SIGINT"); // whoever waits for a server has a way out
      const { code, stderr } = ended(await output);
      held.resolve(new Response());
      equal(code, 0, stderr);
      match(stderr, /notification_webhook 1\.0\.1 .*interrupted before it answered; nobody may have been told/);
    });
    await t.step("down", async () => {
      const away = hook();
      await away[Symbol.asyncDispose]();
      const gone = teller(machine, away.port);
      await gone.run(0, "plugin", "grant", "notification_webhook", "net.http", "--host", `127.0.0.1:${away.port}`);
      match((await gone.run(0, "backup", source, "--notify", "webhook")).stderr, /transient: /);
    });
  }),
);

Deno.test(
  "a notification that is missing is refused where the command names it, and a warning where the configuration does",
  onMachine(async (machine) => {
    const { run } = teller(machine, 1);
    await Deno.writeTextFile(machine.path("a"), "content");
    await run(0, "init");
    const missing = await run(14, "backup", machine.path("a"), "--notify", "webhook");
    match(missing.stderr, /no plugin notification_webhook is installed\n {2}hint: `axiom plugin load/);
    deepEqual((await run(0, "snapshots", "--json")).json(), []);
    const named = teller(machine, 1, { AXIOM_CONFIG_BACKUP_NOTIFY: "webhook" });
    const { stderr } = await named.run(0, "backup", machine.path("a"));
    match(stderr, /no plugin notification_webhook is installed; nobody may have been told/);
    equal((await run(0, "snapshots", "--json")).json().length, 1);
    await run(0, "plugin", "load", WEBHOOK);
    match((await run(14, "backup", machine.path("a"), "--notify", "webhook")).stderr, /waits for a grant of net\.http/);
  }),
);

Deno.test({
  name: "an interrupted backup is told, too",
  ignore: Deno.build.os === "windows",
  fn: onMachine(async (machine) => {
    await using server = hook();
    await prepared(machine, server.port);
    const { options } = teller(machine, server.port);
    const begun = machine.path("begun");
    const words = ["sh", "-c", `touch '${begun}'; exec sleep 60`];
    const args = ["backup", "--notify", "webhook", "--stdin-from-command", "--", ...words];
    const child = machine.command(args, options).spawn(), output = child.output();
    while (!await Deno.stat(begun).catch(() => undefined)) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill("SIGINT");
    const { code, stderr } = ended(await output);
    equal(code, 130, stderr);
    const [{ status, exit_code, error }] = server.posted;
    deepEqual([status, exit_code, error.kind], ["FAILURE", 130, "interrupted"]);
  }),
});
