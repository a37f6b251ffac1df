/** A real WebDAV server, Apache's, for as long as a test wants it. */
import { existsSync } from "node:fs";
import { join } from "node:path";

const PROGRAM = "/usr/sbin/apache2";
const MODULES = "/usr/lib/apache2/modules";
const WAIT_MS = 50;

export const hasApache = existsSync(PROGRAM) && existsSync(`${MODULES}/mod_dav_fs.so`);

export interface DavServer {
  readonly port: number;
  /** What it keeps. */
  readonly folder: string;
  close(): Promise<void>;
}

export async function startApache(): Promise<DavServer> {
  const place = await Deno.makeTempDir({ prefix: "axiom-apache-" });
  const folder = join(place, "www"), port = freePort();
  for (const name of ["www", "locks"]) await Deno.mkdir(join(place, name));
  await Deno.chmod(place, 0o777);
  for (const name of ["www", "locks"]) await Deno.chmod(join(place, name), 0o777); // it serves as another user
  await Deno.writeTextFile(join(place, "httpd.conf"), configuration(place, port));
  const server = new Deno.Command(PROGRAM, {
    args: ["-f", join(place, "httpd.conf"), "-DFOREGROUND"],
    stdout: "null",
    stderr: "null",
  }).spawn();
  await answers(port, server.status);
  return {
    port,
    folder,
    async close() {
      server.kill("SIGTERM");
      await server.status;
      await Deno.remove(place, { recursive: true });
    },
  };
}

function freePort(): number {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  listener.close();
  return listener.addr.port;
}

function configuration(place: string, port: number): string {
  const modules = ["mpm_event", "authz_core", "dav", "dav_fs"];
  return `ServerRoot ${place}
ServerName localhost
Listen 127.0.0.1:${port}
PidFile ${place}/pid
ErrorLog ${place}/error.log
${modules.map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`).join("\n")}
${Deno.uid() === 0 ? "User www-data\nGroup www-data\n" : ""}DocumentRoot ${place}/www
DavLockDB ${place}/locks/db
<Directory ${place}/www>
  Dav On
  Require all granted
</Directory>
`;
}

/** Waits for as long as it runs: a busy machine takes its time. */
async function answers(port: number, ended: Promise<Deno.CommandStatus>): Promise<void> {
  let end: Deno.CommandStatus | undefined;
  void ended.then((status) => end = status);
  while (end === undefined) {
    try {
      (await Deno.connect({ port, hostname: "127.0.0.1" })).close();
      return;
    } catch {
      await new Promise((done) => setTimeout(done, WAIT_MS));
    }
  }
  throw new Error(`Apache ended with ${end.code} before it answered at port ${port}`);
}
