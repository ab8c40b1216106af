import { flag } from "../flags/make.ts";

/** The names of `a,b`; undefined for what holds an empty one or no name of a remote. */
function remoteNames(text: string): string[] | undefined {
  const names = text.split(",").map((name) => name.trim().replace(/:$/, ""));
  return names.every((name) => /^[^\s:/\\[\]][^:/\\[\]\n]*$/.test(name)) ? [...new Set(names)] : undefined;
}

const about = { valueHint: "NAMES", group: "what", common: true } as const;

export const remotesFlag = flag.parsed(remoteNames, "must be names of remotes, joined by commas", {
  ...about,
  description: "remotes of rclone.conf: a,b",
});

export const requiredRemotesFlag = flag.parsed(remoteNames, "must be names of remotes, joined by commas", {
  ...about,
  required: true,
  description: "the remotes to send: a,b",
});
