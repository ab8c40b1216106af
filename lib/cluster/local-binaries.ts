import { closeSync, openSync, readSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { errnoOf, invalidInput, readError } from "../system/errors.ts";
import { type BinaryChoice, type LocalBinary, releaseName, targetOfUname } from "./binary-for.ts";

/** What of this host bears on the choice of a binary. */
interface Here {
  env: Readonly<Record<string, string | undefined>>;
  version: string;
  /** The path of this program; undefined when it is not the compiled one. */
  own: string | undefined;
  /** What --cluster-binary says. */
  given: string | undefined;
}

/** What there is on this host to choose a binary for a far end from. Throws when --cluster-binary cannot be read. */
export function localBinaries(uname: string, here: Here): BinaryChoice {
  const folders = binaryFolders(here.env, here.own);
  const target = targetOfUname(uname);
  const paths =
    target === undefined ? [] : folders.map((folder) => join(folder, releaseName(here.version, target)));
  const given = here.given === undefined ? undefined : readHead(here.given);
  if (here.given !== undefined && given === undefined) {
    throw invalidInput(`--cluster-binary: ${here.given}: no such file`);
  }
  return {
    ...{ uname, version: here.version, given, folders },
    own: here.own === undefined ? undefined : readHead(here.own),
    found: paths.map(readHead).filter((file) => file !== undefined),
  };
}

/** Where binaries for far ends lie: beside this program, and in the user's folders of configuration and data. */
export function binaryFolders(env: Here["env"], own: string | undefined): string[] {
  const base = (name: string, otherwise: string) =>
    env[name]?.startsWith("/") ? env[name] : join(homedir(), otherwise);
  return [
    ...(own === undefined ? [] : [dirname(own)]),
    join(base("XDG_CONFIG_HOME", ".config"), "xfer", "bin"),
    join(base("XDG_DATA_HOME", ".local/share"), "xfer", "bin"),
  ];
}

/** A file and its first bytes; undefined when it is not there. */
function readHead(path: string): LocalBinary | undefined {
  try {
    const fd = openSync(path, "r");
    try {
      const head = new Uint8Array(64);
      return { path, head: head.subarray(0, readSync(fd, head, 0, head.length, 0)) };
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw readError(path, error);
  }
}
