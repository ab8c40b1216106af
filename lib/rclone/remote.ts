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

/** The `type` of each section of an rclone.conf; an encrypted file yields none. */
export function parseRemoteTypes(conf: string): Map<string, string> {
  const types = new Map<string, string>();
  let section: string | undefined;
  for (const raw of conf.split("\n")) {
    const line = raw.trim();
    const header = /^\[(.+)\]$/.exec(line);
    if (header) section = header[1];
    const type = /^type\s*=\s*(.+)$/.exec(line);
    if (type?.[1] && section !== undefined) types.set(section, type[1].trim());
  }
  return types;
}

/**
 * The kind of a root, from the types in rclone.conf and from RCLONE_CONFIG_<NAME>_TYPE in the environment, which rclone
 * lets win. A remote that wraps another (crypt, alias, union) is "other": what holds for S3 need not hold for it.
 */
export function rootKind(
  root: string,
  types: ReadonlyMap<string, string>,
  env: Readonly<Record<string, string | undefined>>,
): RootKind {
  const parsed = parseRoot(root);
  if (parsed.form === "posix") return "posix";
  const variable = `RCLONE_CONFIG_${parsed.name.toUpperCase().replaceAll("-", "_")}_TYPE`;
  const type = parsed.inline ? parsed.name : (env[variable] ?? types.get(parsed.name));
  return type === "s3" ? "s3" : "other";
}
