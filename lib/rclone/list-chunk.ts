import { parseFlagWords } from "./flag-words.ts";

/** https://rclone.org/s3/#s3-list-chunk: S3 answers with no more than this. */
const listChunkMax = 1_000;

/** How many objects a LIST of S3 answers with at most, by the flags of a listing and the environment. */
export function listChunk(
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): number {
  const flags = parseFlagWords(words, "lsjson", "--extra-lsjson-flags");
  const value = flags.findLast(({ name }) => name === "s3-list-chunk")?.value ?? env.RCLONE_S3_LIST_CHUNK;
  const chunk = Number(value ?? listChunkMax);
  return Number.isInteger(chunk) && chunk > 0 ? Math.min(chunk, listChunkMax) : listChunkMax;
}
