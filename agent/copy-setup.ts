import { remoteContext } from "../lib/rclone/conf.ts";
import { type LocalEnds, localEnds, plainPath } from "../lib/rclone/local-ends.ts";
import type { RemoteContext } from "../lib/rclone/remote-options.ts";
import { copyCutoffOf, type RootKind, rootKind, serverSide } from "../lib/rclone/root.ts";
import { sortUserFlags, type UserFlags } from "../lib/rclone/user-flags.ts";
import type { RunConfig } from "../lib/run/config.ts";

/** The two ends of a copy by their kinds, and whether a server copies between them. */
interface PlaceKinds {
  source: RootKind;
  dest: RootKind;
  serverSide: ReturnType<typeof serverSide>;
  /** The size from which the server copies in parts; undefined where neither the remote nor the user says it. */
  serverCopyCutoffBytes: number | undefined;
}

/** The choices of a run that decide how rclone copies, read from its configuration and this process's environment. */
export interface CopySetup {
  config: RunConfig;
  env: Readonly<Record<string, string | undefined>>;
  flags: UserFlags;
  context: RemoteContext;
  kinds: PlaceKinds;
  /** Where the destination's data lies on this host. */
  destEnds: LocalEnds;
  /** Where the source's files lie on this host under their own names; undefined where they do not. */
  sourcePath: string | undefined;
}

/** Reads the setup of a run. Throws invalid input for flags that the account of every object cannot stand. */
export function copySetupOf(config: RunConfig, env: CopySetup["env"]): CopySetup {
  const { source_root: source, dest_root: dest } = config;
  const flags = sortUserFlags(config.rclone_flags, env);
  const context = remoteContext(config.rclone_config ?? undefined, config.runtime, flags.given, env);
  const kinds = {
    source: rootKind(source, context.remotes, env),
    dest: rootKind(dest, context.remotes, env),
    serverSide: serverSide(source, dest, context),
    serverCopyCutoffBytes: copyCutoffOf(dest, context),
  };
  const destEnds = localEnds(dest, context);
  return { config, env, flags, context, kinds, destEnds, sourcePath: plainPath(source, context) };
}
