import { backendOption, type FlagCommand, flagKind, isGeneralFlag, isOpenOption } from "./flag-table.ts";

/**
 * Finds secrets that may not be in an argument vector, a manifest or a log. The rules fail closed: an option that is not
 * known to be open counts as a secret.
 */

/** Flags of rclone's own whose value is a secret, or that print secrets into the log. */
const secretFlags: ReadonlySet<string> = new Set([
  "client-pass",
  "dump",
  "dump-bodies",
  "dump-headers",
  "header",
  "header-download",
  "header-upload",
  "metrics-pass",
  "metrics-response-header",
  "metrics-salt",
  "metrics-user",
  "rc-pass",
  "rc-response-header",
  "rc-salt",
  "rc-user",
]);

/** Parts of the names of secrets, for flags that xfer does not know. */
const secretWord = /pass|secret|token|key|cred|auth|cookie|header|phrase|grant|mnemonic|(?:^|-)sas(?:-|$)/;

/** Why a flag with this value may not be used, or undefined when it may. The text never repeats the value. */
export function flagSecret(
  command: FlagCommand,
  name: string,
  value: string | undefined,
): string | undefined {
  const variable = `RCLONE_${name.toUpperCase().replaceAll("-", "_")}`;
  if (/^dump(?:-|$)/.test(name)) return "it prints credentials into the log";
  if (secretFlags.has(name)) return `it may hold a credential: set ${variable} in the environment instead`;
  if (!isGeneralFlag(command, name)) {
    const found = backendOption(name);
    const open = found
      ? isOpenOption(found.backend.name, found.option)
      : flagKind(command, name) !== "unknown" || !secretWord.test(name);
    if (!open) return "it may hold a credential: put it in rclone.conf, under a name";
  }
  if (value === undefined) return undefined;
  const proxy = name === "http-proxy" && value.includes("@");
  if (!proxy && !hasUrlSecret(value)) return undefined;
  return name === "http-proxy"
    ? "a credential is in its URL: set HTTPS_PROXY in the environment instead"
    : "a credential is in its URL: put it in rclone.conf, under a name";
}

/** Whether a text has a URL with a user or password in it, or a signed URL. */
export function hasUrlSecret(text: string): boolean {
  return /:\/\/[^/\s@]*@/.test(text) || signedUrl.test(text);
}

/** Parameters of URLs that are a credential: tokens, and signatures of S3, Azure and Google. */
const signedUrl =
  /[?&](?:X-(?:Amz|Goog)-(?:Signature|Credential|Security-Token)|AWSAccessKeyId|Signature|sig|[\w-]*token|api_?key|key|password|secret)=/i;

/** Whether a line that rclone logs at -vv tells the value of a variable, which may be a credential. */
export function showsVariable(line: string): boolean {
  return line.includes(" from environment variable ") && /(?:"msg":"|DEBUG ?: )Setting /.test(line);
}

/** Why words for srun or sbatch, which stand in files and logs, may not be used; undefined when they may. */
export function slurmWordsProblem(words: readonly string[]): string | undefined {
  if (words.some(hasUrlSecret)) return "a credential is in a URL";
  const exported = words.find(
    (word, at) => /^--export=.*=/.test(word) || (words[at - 1] === "--export" && word.includes("=")),
  );
  if (exported === undefined) return undefined;
  return "--export sets a variable to a value, which logs would carry: set it in the environment, and give its name alone";
}

/** Why the name of an image may not be used, or undefined when it may. */
export function imageProblem(image: string): string | undefined {
  if (!/:\/\/[^/\s@]*:[^/\s@]*@/.test(image) && !signedUrl.test(image)) return undefined;
  return "carries a credential: put it in the credentials file of enroot or apptainer";
}
