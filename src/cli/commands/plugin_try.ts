import type { Json } from "../../base/canonical_json.ts";
import { AxiomError } from "../../base/errors.ts";
import { parseLocation } from "../../storage/location.ts";
import { absolute } from "../../operations/source_list.ts";
import { admit } from "../../plugins/admission.ts";
import { testPlugin } from "../../plugins/conformance.ts";
import { needsGrant } from "../../plugins/capabilities.ts";
import { grantChoice, type GrantRequest } from "../../plugins/grant_choice.ts";
import type { PluginManifest } from "../../plugins/manifest.ts";
import { givenOptions } from "../../plugins/plugin_configuration.ts";
import { readPluginFile } from "../../plugins/plugin_file.ts";
import { hostServices } from "../../plugins/services/host_services.ts";
import type { App } from "../app.ts";
import { REACH_FLAGS, reachOf } from "../grant_flags.ts";
import { defineCommand } from "../command.ts";
import { findingsCode, findingsJson, findingsText } from "../plugin_findings.ts";

/** `plugin test`; the name of the file must not look like a test's. */
export const pluginTest = defineCommand({
  name: "plugin test",
  summary: "Try a plugin by the rules that every plugin is held to",
  usage: "axiom plugin test <file>\naxiom plugin test --grant-all [--repo <location>] <file>",
  details: "Runs it in its sandbox with nothing granted, and loads nothing. Ends with 14 if a rule is broken.\n" +
    "--grant-all lets it do what it asks for while it is tried, with plugins.options and plugins.credentials of the " +
    "configuration and the address of --repo. A storage plugin then stores objects below axiom-test/ and deletes them.",
  arguments: [{ name: "file", description: "The .wasm file of a plugin", completes: "file" }],
  flags: [
    { long: "grant-all", type: "boolean", description: "Allow it all that it asks for, for this test" },
    ...REACH_FLAGS,
  ],
  examples: [
    { command: "axiom plugin test compression_lz4.wasm", does: "Try a plugin that you built" },
    {
      command:
        "axiom plugin test --grant-all --private --repo storage_webdav+http://localhost:8080/test storage_webdav.wasm",
      does: "Try a storage plugin with a server of this machine",
    },
    { command: "axiom plugin test --json compression_lz4.wasm", does: "The same for programs" },
  ],
  parse: (values, [file]) => ({ file, request: requestOf(values["grant-all"], reachOf(values)) }),
  run: async ({ file, request }, { app: open }) => {
    const app = await open();
    const { folder, clock, random, signal, files, config: { plugins: { credentials } } } = app;
    const { name, data } = await readPluginFile(absolute(file, folder));
    const plugin = admit(data, { name }), { pluginId, capabilities } = plugin.manifest;
    const granted = request === undefined ? [] : grantChoice(pluginId, capabilities.filter(needsGrant), request);
    const configuration = request === undefined ? {} : configurationOf(app, plugin.manifest);
    const services = hostServices({ stateFolder: undefined, clock, credentials, files });
    const findings = await testPlugin(plugin, { clock, random, signal, granted, configuration, services });
    return { plugin, findings };
  },
  render: findingsText,
  json: findingsJson,
  exitCode: findingsCode,
});

function requestOf(all: boolean, reach: Omit<GrantRequest, "names">): GrantRequest | undefined {
  if (all) return { names: "all", ...reach };
  if (!reach.private && reach.hosts.length + reach.folders.length === 0) return undefined;
  throw new AxiomError("usage", "Cannot tell what may reach that: --grant-all is missing", {
    hint: "Add --grant-all, or leave out --host, --folder and --private",
  });
}

/** As it would be started for a backup. */
function configurationOf({ config, location }: App, manifest: PluginManifest): Record<string, Json> {
  const given = givenOptions(manifest, config.plugins.options);
  const place = location === undefined ? undefined : parseLocation(location);
  if (place?.kind !== "plugin" || place.pluginId !== manifest.pluginId || place.url === undefined) return given;
  return { ...given, url: place.url };
}
