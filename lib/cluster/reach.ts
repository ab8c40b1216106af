import { type FarEnd, thisHost } from "./far-end.ts";
import { localHost, type Profile } from "./profile.ts";
import { connect } from "./ssh.ts";

/** Where a profile's commands are run. `asks` says whether ssh may ask for a password. Throws when it cannot be reached. */
export async function farEndOf({ host }: Pick<Profile, "host">, asks: boolean): Promise<FarEnd> {
  return host === localHost ? thisHost() : connect(host, asks);
}
