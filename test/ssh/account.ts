import { readFileSync } from "node:fs";
import { ensurePackages, files, program } from "../setup/packages.ts";

/** An account of this host that stands for the user's one at a cluster. */
export interface FarAccount {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

const name = "xferfar";

/** Installs what a far end needs: an sshd, ssh, and the login shells that are no POSIX shells. */
export async function ensureSshPackages(): Promise<void> {
  await ensurePackages([
    program("rclone", "rclone"),
    program("openssh-server", "sshd"),
    program("openssh-client", "ssh"),
    program("passwd", "useradd"),
    program("fish", "fish"),
    program("tcsh", "tcsh"),
    files("ca-certificates", "/etc/ssl/certs/ca-certificates.crt"),
  ]);
}

/** Makes the account anew, with an empty home and this login shell. Needs root. */
export function makeFarAccount(shell: string): FarAccount {
  removeFarAccount();
  const made = Bun.spawnSync(["useradd", "--create-home", "--user-group", "--shell", shell, name]);
  if (made.exitCode !== 0) throw new Error(`useradd: ${made.stderr.toString()}`);
  // A locked account, which useradd makes, is refused by sshd.
  Bun.spawnSync(["usermod", "--password", "*", name]);
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((text) => text.startsWith(`${name}:`));
  const [, , uid, gid, , home = ""] = line?.split(":") ?? [];
  return { name, uid: Number(uid), gid: Number(gid), home };
}

/** Gives an account a password. */
export function setPassword({ name }: FarAccount, password: string): void {
  const hash = Bun.spawnSync(["chpasswd"], { stdin: Buffer.from(`${name}:${password}\n`) });
  if (hash.exitCode !== 0) throw new Error(`chpasswd: ${hash.stderr.toString()}`);
}

/** Removes the account, its home and its processes. */
export function removeFarAccount(): void {
  Bun.spawnSync(["pkill", "-KILL", "-u", name]);
  Bun.spawnSync(["userdel", "--remove", name]);
}
