import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { connect as connectTo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A real sshd on loopback, and what a user needs to reach it. */
export interface SshServer extends AsyncDisposable {
  dir: string;
  port: number;
  pid: number;
  /** What XFER_SSH has to be: the ssh client with a configuration of this server alone. */
  ssh: string;
  /** The name by which the configuration knows the server. */
  host: string;
  /** Gives the server another host key. */
  changeHostKey(): Promise<void>;
  /** Ends all connections that stand. */
  cut(): Promise<void>;
}

interface Account {
  name: string;
  uid: number;
  gid: number;
}

const keygen = (path: string) => Bun.spawnSync(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path]);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === "object" && address ? address.port : 0;
}

async function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTo(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

/** Starts sshd for one account; `lines` are added to its configuration, `host` is its name for ssh. Needs root. */
export async function startSshServer(
  account: Account,
  lines: readonly string[] = [],
  host = "far login",
): Promise<SshServer> {
  const dir = mkdtempSync(join(tmpdir(), "xfer-sshd-"));
  chmodSync(dir, 0o755);
  const port = await freePort();
  mkdirSync("/run/sshd", { recursive: true });
  keygen(join(dir, "host-key"));
  keygen(join(dir, "user-key"));
  writeFileSync(join(dir, "authorized"), readFileSync(join(dir, "user-key.pub")));
  chownSync(join(dir, "authorized"), account.uid, account.gid);
  const config = [
    // Of two lines about the same, sshd takes the first.
    ...lines,
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${join(dir, "host-key")}`,
    `AuthorizedKeysFile ${join(dir, "authorized")}`,
    `PidFile ${join(dir, "sshd.pid")}`,
    "StrictModes no",
    "UsePAM no",
    "PasswordAuthentication no",
    "MaxSessions 20",
  ];
  writeFileSync(join(dir, "sshd_config"), `${config.join("\n")}\n`);
  const known = (key: string) => `[127.0.0.1]:${port} ${readFileSync(`${key}.pub`, "utf8")}`;
  writeFileSync(join(dir, "known_hosts"), known(join(dir, "host-key")));
  const client = [
    `Host ${host}`,
    "  HostName 127.0.0.1",
    `  Port ${port}`,
    `  User ${account.name}`,
    `  IdentityFile ${join(dir, "user-key")}`,
    "  IdentitiesOnly yes",
    `  UserKnownHostsFile ${join(dir, "known_hosts")}`,
    "  GlobalKnownHostsFile /dev/null",
    "  StrictHostKeyChecking yes",
  ];
  writeFileSync(join(dir, "ssh_config"), `${client.join("\n")}\n`);
  const start = async () => {
    const child = Bun.spawn(
      ["/usr/sbin/sshd", "-D", "-f", join(dir, "sshd_config"), "-E", join(dir, "log")],
      {
        stdin: "ignore",
        stdout: "ignore",
        stderr: "ignore",
      },
    );
    const deadline = Date.now() + 60_000;
    while (!(await answers(port))) {
      if (Date.now() > deadline || child.exitCode !== null) {
        throw new Error(`sshd did not start: ${readFileSync(join(dir, "log"), "utf8")}`);
      }
      await Bun.sleep(20);
    }
    return child;
  };
  let child = await start();
  const stop = async () => {
    cutConnections(child.pid);
    child.kill("SIGTERM");
    await child.exited;
  };
  return {
    dir,
    port,
    get pid() {
      return child.pid;
    },
    ssh: `ssh -F ${join(dir, "ssh_config")}`,
    host: host.split(" ")[0] ?? host,
    async changeHostKey() {
      await stop();
      Bun.spawnSync(["rm", "-f", join(dir, "host-key"), join(dir, "host-key.pub")]);
      keygen(join(dir, "host-key"));
      child = await start();
    },
    async cut() {
      cutConnections(child.pid);
    },
    async [Symbol.asyncDispose]() {
      await stop();
      Bun.spawnSync(["rm", "-rf", dir]);
    },
  };
}

/** What XFER_SSH has to be for several servers, by a configuration in this folder that has all of theirs. */
export function sshFor(servers: readonly SshServer[], folder: string): string {
  const path = join(folder, "ssh_config");
  writeFileSync(path, servers.map(({ dir }) => `Include ${join(dir, "ssh_config")}\n`).join(""));
  return `ssh -F '${path.replaceAll("'", "'\\''")}'`;
}

/** Kills the sshd processes of all connections, and nothing that runs in them: what a broken network looks like. */
function cutConnections(pid: number): void {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
  for (const child of children.filter((text) => text !== "")) {
    try {
      if (readFileSync(`/proc/${child}/comm`, "utf8").trim() !== "sshd") continue;
      cutConnections(Number(child));
      process.kill(Number(child), "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}
