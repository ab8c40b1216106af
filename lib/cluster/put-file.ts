import { closeSync, openSync, readSync, statSync } from "node:fs";
import { exitCodes, operationFailed, XferError } from "../system/errors.ts";
import { sha256OfFile } from "../system/file-digest.ts";
import { quoteWords } from "../system/shell-words.ts";
import type { FarEnd } from "./far-end.ts";

/** A file to put at the far end, by means of a POSIX shell alone. */
interface PutRequest {
  local: string;
  /** An absolute path there. */
  remote: string;
  sha256: string;
  /** In octal. */
  mode: string;
  onProgress?: (bytes: number, of: number) => void;
  stop: AbortSignal;
}

/** The commands by which systems print a SHA-256, the digest first. */
const digestCommands = `digest() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum < "$1"
  elif command -v shasum >/dev/null 2>&1; then shasum -a 256 < "$1"
  else openssl dgst -sha256 -r < "$1"
  fi
}`;

/**
 * Puts a file at the far end whole or not at all: it gets its name when its SHA-256 is right. What arrived of it before is
 * gone on from. Does nothing when a file of that name is there: names hold the digest. Two that put the same file at a time
 * write the same bytes at the same places, and the first one to end gives it its name.
 */
export async function putFile(end: FarEnd, request: PutRequest): Promise<"was there" | "put"> {
  for (let tries = 1; ; tries++) {
    const offset = await arrivedOf(end, request);
    if (offset === undefined) return "was there";
    if (await sendRest(end, request, offset)) return "put";
    if (tries === 2) {
      throw operationFailed(
        `${end.host}:${request.remote}: what arrived is not what was sent, twice: it was thrown away`,
      );
    }
  }
}

/** The bytes that are there of an earlier try; undefined when all of the file is. */
async function arrivedOf(end: FarEnd, { remote, stop }: PutRequest): Promise<number | undefined> {
  const path = quoteWords([remote]);
  const { code, stdout, stderr } = await end.run(
    `if [ -f ${path} ]; then echo whole; elif [ -f ${path}.part ]; then wc -c < ${path}.part; else echo 0; fi`,
    { stop },
  );
  const text = stdout.trim();
  if (code !== 0) throw farFailure(end, remote, stderr);
  return text === "whole" ? undefined : Number(text);
}

/** The shell's exit codes when the digest is another one, and when the input has ended early. */
const differs = 99;
const isShort = 98;

/** What dd writes at a time, and the unit in which its place in a file is told. */
const blockBytes = 64 * 1024;

async function sendRest(end: FarEnd, request: PutRequest, arrived: number): Promise<boolean> {
  const { size } = statSync(request.local);
  const path = quoteWords([request.remote]);
  const part = `${path}.part`;
  // A part that is too long is none of this file.
  const blocks = arrived > size ? 0 : Math.floor(arrived / blockBytes);
  const from = blocks * blockBytes;
  const script = [
    digestCommands,
    "umask 077",
    `mkdir -p "$(dirname ${path})" || exit 1`,
    arrived > size ? `: > ${part}` : "",
    `LC_ALL=C dd of=${part} bs=${blockBytes} seek=${blocks} conv=notrunc || exit 1`,
    `[ ! -f ${path} ] || { rm -f ${part}; exit 0; }`,
    // A connection that is cut ends the input as a sender does. What has come is gone on from.
    `[ "$(wc -c < ${part})" -ge ${size} ] || { [ -f ${path} ] && exit 0; exit ${isShort}; }`,
    // A copy: another one that puts this file may have the part open, and what is open for writing cannot be executed.
    // Its digest is taken of the copy, which nobody else has.
    `cp ${part} ${path}.$$ || { rm -f ${path}.$$; [ -f ${path} ]; exit; }`,
    `set -- $(digest ${path}.$$)`,
    `if [ "$1" != ${request.sha256} ]; then rm -f ${part} ${path}.$$; exit ${differs}; fi`,
    `chmod ${request.mode} ${path}.$$ && mv ${path}.$$ ${path} && rm -f ${part}`,
  ].join("\n");
  const input = bytesFrom(request.local, from, (at) => request.onProgress?.(at, size));
  const { code, stderr } = await end.run(script, { input, stop: request.stop });
  if (code === differs) return false;
  if (code === isShort) {
    throw new XferError(
      `${request.local}: did not arrive whole at ${end.host}: run the same command again to go on`,
      exitCodes.resumable,
    );
  }
  if (code !== 0) throw farFailure(end, request.remote, stderr);
  return true;
}

/** What a shell's message about a file at the far end means. */
function farFailure(end: FarEnd, remote: string, stderr: string): XferError {
  // dd also tells how much it has written.
  const lines = stderr
    .split("\n")
    .filter((line) => line.trim() !== "" && !/^\d+\+\d+ records |^\d+ bytes /.test(line));
  const said = lines.at(-1)?.trim() ?? "";
  const mend = /No space left|quota exceeded/i.test(said)
    ? ": free some space there, and run the same command again"
    : /Permission denied|Read-only/i.test(said)
      ? ": choose another run root (xfer cluster edit)"
      : "";
  return new XferError(`${end.host}:${remote}: cannot be written: ${said}${mend}`, exitCodes.failed);
}

async function* bytesFrom(
  path: string,
  offset: number,
  onRead: (at: number) => void,
): AsyncGenerator<Uint8Array> {
  const fd = openSync(path, "r");
  try {
    for (let at = offset; ; ) {
      const buffer = Buffer.allocUnsafe(256 * 1024);
      const length = readSync(fd, buffer, 0, buffer.length, at);
      if (length === 0) return;
      at += length;
      onRead(at);
      yield buffer.subarray(0, length);
    }
  } finally {
    closeSync(fd);
  }
}

/** Where a binary lies at the far end: its name holds version and digest, so that it never changes. */
export async function binaryPath(
  runRoot: string,
  version: string,
  local: string,
): Promise<{ path: string; sha256: string }> {
  const sha256 = await sha256OfFile(local);
  return { path: `${runRoot}/.xfer/bin/xfer-${version}-${sha256.slice(0, 12)}`, sha256 };
}
