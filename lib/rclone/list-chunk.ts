import { parseFlagWords } from "./flag-words.ts";

/** The most objects that S3 answers with: https://rclone.org/s3/#s3-list-chunk */
const listChunkMax = 1_000;

/** The most objects that a LIST of S3 answers with, by the flags of the listing and the environment. */
export function listChunk(
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): number {
  const flags = parseFlagWords(words, "lsjson", "--extra-lsjson-flags");
  const value = flags.findLast(({ name }) => name === "s3-list-chunk")?.value ?? env.RCLONE_S3_LIST_CHUNK;
  const chunk = Number(value ?? listChunkMax);
  return Number.isInteger(chunk) && chunk > 0 ? Math.min(chunk, listChunkMax) : listChunkMax;
}
