/** Flags of rclone that say how any place is reached: https://rclone.org/flags/#networking */
const networking = new Set([
  "--bind",
  "--bwlimit",
  "--ca-cert",
  "--client-cert",
  "--client-key",
  "--contimeout",
  "--disable-http-keep-alives",
  "--disable-http2",
  "--dscp",
  "--expect-continue-timeout",
  "--http-proxy",
  "--low-level-retries",
  "--max-connections",
  "--no-check-certificate",
  "--no-gzip-encoding",
  "--password-command",
  "--timeout",
  "--tpslimit",
  "--tpslimit-burst",
  "--use-cookies",
  "--user-agent",
]);

/** How a local tree is seen: what is copied through a symbolic link is found through it too. */
const links = new Set(["-L", "--copy-links", "-l", "--links", "--skip-links", "-x", "--one-file-system"]);

/** Options of a backend: https://rclone.org/flags/#backend */
const backend =
  /^--(?:azureblob|azurefiles|b2|box|cache|chunker|combine|compress|crypt|drive|dropbox|fichier|filefabric|ftp|gcs|hasher|hdfs|hidrive|http|internetarchive|jottacloud|koofr|local|mailru|mega|netstorage|onedrive|oos|opendrive|pcloud|pikpak|protondrive|qingstor|quatrix|s3|seafile|sftp|sharefile|sia|smb|storj|sugarsync|swift|union|webdav|yandex|zoho)-/;

/**
 * Of the user's flags for copies, those that a listing of the same place needs too: how it is reached and what is seen of
 * it. All others are about copying, or would hide objects.
 */
export function placeFlags(words: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    const name = word.replace(/=.*$/s, "");
    if (!networking.has(name) && !links.has(name) && !backend.test(name)) continue;
    kept.push(word);
    const next = words[at + 1];
    // Booleans take no word of their own, and no other flag's value begins with a dash but a number.
    if (name === word && next !== undefined && !links.has(name) && !/^-(?!\d)/.test(next)) {
      kept.push(next);
      at++;
    }
  }
  return kept;
}
