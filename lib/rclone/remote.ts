/** What xfer needs to know of the place that a root names. */
export type RootKind = "s3" | "posix" | "other";

/**
 * How rclone tells a remote from a path: a name, or a backend after a colon, with `,option=value` pairs after it, and
 * a colon before any slash (https://rclone.org/docs/#syntax-of-remote-paths).
 */
const remoteForm = /^(:?)([\w.+@-][\w.+@ -]*)((?:,[\w-]+(?:=(?:"[^"]*"|'[^']*'|[^,:"']*))?)*):/;

/** A root taken apart; `name` is a remote's name in rclone.conf or, with `inline`, a backend's. */
export type ParsedRoot =
  | { form: "posix"; path: string }
  | { form: "remote"; name: string; inline: boolean; options: { name: string; value: string }[] };

/** Takes a root apart into a POSIX path or an rclone remote. */
export function parseRoot(root: string): ParsedRoot {
  const match = remoteForm.exec(root);
  if (!match) return { form: "posix", path: root };
  const [, colon, name = "", tail = ""] = match;
  const options = [...tail.matchAll(/,([\w-]+)(?:=("[^"]*"|'[^']*'|[^,:"']*))?/g)].map(
    ([, option = "", value = "true"]) => ({ name: option, value: value.replace(/^["']|["']$/g, "") }),
  );
  return { form: "remote", name, inline: colon === ":", options };
}

/** Option names that carry a secret, in any backend: what rclone marks as password or sensitive. */
const secretName =
  /(?:^|[_-])(?:key|key[_-]id|secret|pass|password|password2|token|credentials|sas[_-]url|account|bearer)(?:$|[_-])|access[_-]key|service[_-]account/i;

/** Whether an rclone option of this name holds a credential. */
export function isSecretOption(name: string): boolean {
  return secretName.test(name) && !/^sse[_-]|[_-]sse[_-]kms|env[_-]auth|key[_-]pem|key[_-]file$/i.test(name);
}

/**
 * Why a root may not be used, or undefined when it may: credentials inside it would end up in manifests, argument
 * vectors and logs. They belong in rclone.conf.
 */
export function rootProblem(root: string): string | undefined {
  if (root === "") return "is empty";
  if (/[\x00-\x1f\x7f]/.test(root)) return "has a control character";
  const parsed = parseRoot(root);
  if (parsed.form === "posix") return undefined;
  const secret = parsed.options.find(({ name }) => isSecretOption(name));
  if (secret) return `carries a credential (${secret.name}=...): put it in rclone.conf, under a name`;
  if (parsed.options.some(({ value }) => /:\/\/[^/@]*:[^/@]*@/.test(value))) {
    return "carries a password in a URL: put it in rclone.conf, under a name";
  }
  return undefined;
}

/** The sections of an rclone.conf by name, each with its options. It holds credentials: never print it. */
export type Remotes = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Reads the sections of an rclone.conf; an encrypted file yields none. */
export function parseRemotes(conf: string): Remotes {
  const remotes = new Map<string, Map<string, string>>();
  let section: Map<string, string> | undefined;
  for (const raw of conf.split("\n")) {
    const line = raw.trim();
    const header = /^\[(.+)\]$/.exec(line)?.[1];
    if (header !== undefined) {
      section = new Map();
      remotes.set(header, section);
    }
    const option = /^([^=#;[]+?)\s*=\s*(.*)$/.exec(line);
    if (option?.[1] && section) section.set(option[1], option[2] ?? "");
  }
  return remotes;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The kind of a root, from rclone.conf and from RCLONE_CONFIG_<NAME>_TYPE in the environment, which rclone lets win. A
 * remote that wraps another (crypt, alias, union) is "other": what holds for S3 need not hold for it.
 */
export function rootKind(root: string, remotes: Remotes, env: Environment): RootKind {
  const parsed = parseRoot(root);
  if (parsed.form === "posix") return "posix";
  return remoteType(parsed, remotes, env) === "s3" ? "s3" : "other";
}

function remoteType(
  { name, inline }: Extract<ParsedRoot, { form: "remote" }>,
  remotes: Remotes,
  env: Environment,
): string | undefined {
  const variable = `RCLONE_CONFIG_${name.toUpperCase().replaceAll("-", "_")}_TYPE`;
  return inline ? name : (env[variable] ?? remotes.get(name)?.get("type"));
}

/** The path on this host that a root means: a path itself, or one behind a remote of type local. */
export function localPath(root: string, remotes: Remotes, env: Environment): string | undefined {
  const parsed = parseRoot(root);
  if (parsed.form === "posix") return parsed.path;
  if (remoteType(parsed, remotes, env) !== "local") return undefined;
  return root.slice(remoteForm.exec(root)?.[0].length ?? 0);
}

/** What makes two S3 remotes the same account at the same place. */
const identityOptions = [
  "provider",
  "endpoint",
  "region",
  "access_key_id",
  "env_auth",
  "profile",
  "session_token",
];

/**
 * Whether one S3 endpoint holds both roots for the same account, and how rclone must be told: "same-remote" copies on
 * the server by itself, "same-endpoint" needs --server-side-across-configs, "apart" cannot.
 */
export function serverSide(
  source: string,
  dest: string,
  remotes: Remotes,
): "same-remote" | "same-endpoint" | "apart" {
  const [one, other] = [parseRoot(source), parseRoot(dest)];
  if (one.form !== "remote" || other.form !== "remote" || one.inline || other.inline) return "apart";
  const [a, b] = [remotes.get(one.name), remotes.get(other.name)];
  if (a?.get("type") !== "s3" || b?.get("type") !== "s3") return "apart";
  if (one.name === other.name && one.options.length === 0 && other.options.length === 0) return "same-remote";
  const equal = identityOptions.every((name) => a.get(name) === b.get(name));
  return equal && one.options.length === 0 && other.options.length === 0 ? "same-endpoint" : "apart";
}
