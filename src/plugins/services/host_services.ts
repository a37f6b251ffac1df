import type { Clock } from "../../base/clock.ts";
import type { PluginCredential } from "../../config/plugin_settings.ts";
import type { FileSystem } from "../../platform/file_system.ts";
import type { HostServices } from "../capability_service.ts";
import { credentialFor } from "./credentials.ts";
import { httpService, type HttpSettings } from "./http_service.ts";
import { filesService } from "./files_service.ts";
import { kvService } from "./kv_service.ts";
import { notesFile } from "./notes_file.ts";
import { repoService, type RepositoryMetadata } from "./repo_service.ts";

export interface ServiceSettings {
  /** Where plugins keep notes; undefined where the machine has no place for them. */
  readonly stateFolder: string | undefined;
  readonly clock: Clock;
  readonly credentials?: readonly PluginCredential[];
  readonly http?: HttpSettings;
  readonly files?: FileSystem;
  /** Undefined, or an answer of that, where no repository is open. */
  readonly repository?: () => Promise<RepositoryMetadata> | undefined;
}

/** Everything that plugins can be granted of this process. */
export function hostServices(
  { stateFolder, clock, credentials = [], http, files, repository }: ServiceSettings,
): HostServices {
  return {
    open(name, { pluginId }, granted) {
      switch (name) {
        case "kv":
          return stateFolder === undefined ? undefined : kvService(notesFile(stateFolder, pluginId), clock);
        case "net.http":
          return httpService(granted, {
            credentialOf: (host, port) => credentialFor(credentials, pluginId, host, port),
            ...http,
          });
        case "files":
          return files === undefined ? undefined : filesService(granted, files);
        case "repo":
          return repository === undefined ? undefined : repoService(repository);
        default:
          return undefined;
      }
    },
  };
}
