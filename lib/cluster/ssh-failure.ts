import { type ExitCode, exitCodes } from "../system/errors.ts";

/** What became of a call over ssh that did not end by the command's own exit code. */
export interface SshFailure {
  text: string;
  exitCode: ExitCode;
}

interface Rule {
  sign: RegExp;
  /** What is said of the host; `dropped` failures can be gone on from. */
  says: (host: string) => string;
  dropped?: true;
}

/** OpenSSH's own messages, in the order of what they rule out: a changed key is followed by "Host key verification failed". */
const rules: readonly Rule[] = [
  {
    sign: /REMOTE HOST IDENTIFICATION HAS CHANGED|Offending .* key in|host key .* has changed/i,
    says: (host) =>
      `the host key of ${host} is another one than in known_hosts: ask its administrator whether it was changed, ` +
      `then remove the old one (ssh-keygen -R) and connect once by hand`,
  },
  {
    sign: /Host key verification failed|No .* host key is known for/i,
    says: (host) =>
      `the host key of ${host} is not known: connect once by hand (ssh ${host}), compare the fingerprint, and say yes`,
  },
  {
    sign: /Permission denied \(|Too many authentication failures|no more authentication methods/i,
    says: (host) =>
      `${host} refused this user's keys: try "ssh ${host}" by hand; a password or a second factor needs a terminal, or a ` +
      `connection that is open already (ControlMaster in ~/.ssh/config)`,
  },
  {
    sign: /Could not resolve hostname|Name or service not known|nodename nor servname/i,
    says: (host) => `no host is called ${host}: look at the profile and at ~/.ssh/config`,
  },
  {
    sign: /Connection refused/i,
    says: (host) =>
      `${host} refused the connection: no ssh server listens there (another port, a jump host?)`,
  },
  {
    sign: /Connection timed out|Operation timed out|No route to host|Network is unreachable/i,
    says: (host) => `${host} did not answer: is a VPN or a jump host needed?`,
    dropped: true,
  },
  {
    sign: /Connection (closed|reset)|Broken pipe|not responding|client_loop|kex_exchange_identification|mux_client|Disconnected|lost connection/i,
    says: (host) => `the connection to ${host} was lost`,
    dropped: true,
  },
];

/** What ssh's own messages mean, in one line; `hasBegun` tells whether the command had been started at the far end. */
export function sshFailure(host: string, stderr: string, hasBegun: boolean): SshFailure {
  const rule = hasBegun ? undefined : rules.find(({ sign }) => sign.test(stderr));
  if (rule) return { text: rule.says(host), exitCode: rule.dropped ? exitCodes.resumable : exitCodes.failed };
  if (hasBegun) return { text: `the connection to ${host} was lost`, exitCode: exitCodes.resumable };
  const last = stderr.trim().split("\n").at(-1)?.trim();
  const text = last ? `: ${last}` : "";
  return { text: `no command could be started on ${host} over ssh${text}`, exitCode: exitCodes.failed };
}
