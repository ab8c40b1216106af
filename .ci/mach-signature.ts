import { createHash } from "node:crypto";

/**
 * The signature of a Mach-O binary: SHA-256 digests of its pages, by which macOS checks what it starts. Bun signs what it
 * compiles for Apple's own processors. For Intel ones it leaves the signature of its runtime, which no longer holds then.
 */

const loadCommands = { segment: 0x19, signature: 0x1d };
const pageBits = 12;
const superBlobMagic = 0xfade0cc0;
const directoryMagic = 0xfade0c02;
const directoryBytes = 88;
const superBlobBytes = 20;

/** Where in a binary of 64 bits a signature is noted, and what it covers. */
interface Layout {
  /** The positions of two load commands. */
  signatureCommand: number;
  linkeditCommand: number;
  /** Bytes before the signature: all that it covers. */
  codeBytes: number;
  linkeditStart: number;
  textBytes: number;
}

function layoutOf(binary: Buffer): Layout {
  const layout = { signatureCommand: 0, linkeditCommand: 0, codeBytes: 0, linkeditStart: 0, textBytes: 0 };
  const count = binary.readUInt32LE(16);
  for (let at = 32, seen = 0; seen < count; seen++, at += binary.readUInt32LE(at + 4)) {
    const command = binary.readUInt32LE(at);
    if (command === loadCommands.signature) {
      layout.signatureCommand = at;
      layout.codeBytes = binary.readUInt32LE(at + 8);
    }
    if (command !== loadCommands.segment) continue;
    const name = binary.toString("latin1", at + 8, at + 24).replace(/\0.*/, "");
    if (name === "__TEXT") layout.textBytes = Number(binary.readBigUInt64LE(at + 48));
    if (name === "__LINKEDIT") {
      layout.linkeditCommand = at;
      layout.linkeditStart = Number(binary.readBigUInt64LE(at + 40));
    }
  }
  if (layout.signatureCommand === 0 || layout.linkeditCommand === 0) {
    throw new Error("the binary has no place for a signature");
  }
  return layout;
}

/** A digest for each page of what is signed; the last page may be shorter. */
function pageDigests(code: Buffer): Buffer[] {
  const digests: Buffer[] = [];
  for (let at = 0; at < code.length; at += 1 << pageBits) {
    const page = code.subarray(at, at + (1 << pageBits));
    digests.push(createHash("sha256").update(page).digest());
  }
  return digests;
}

/** The binary with an ad-hoc signature, which names nobody, in place of the one that it has. */
export function signMachO(binary: Buffer, name: string): Buffer {
  const layout = layoutOf(binary);
  const pages = Math.ceil(layout.codeBytes / (1 << pageBits));
  const identifier = Buffer.from(`${name}\0`);
  const length = directoryBytes + identifier.length + pages * 32;
  const signatureBytes = superBlobBytes + length;
  const code = Buffer.from(binary.subarray(0, layout.codeBytes));
  // Both are covered by the signature: they come before its digests are taken.
  code.writeUInt32LE(signatureBytes, layout.signatureCommand + 12);
  const linkeditBytes = layout.codeBytes + signatureBytes - layout.linkeditStart;
  code.writeBigUInt64LE(BigInt(linkeditBytes), layout.linkeditCommand + 48);
  // In memory the segment takes whole pages, which are of 16 KiB on some machines.
  code.writeBigUInt64LE(BigInt(Math.ceil(linkeditBytes / 16384) * 16384), layout.linkeditCommand + 32);

  const head = Buffer.alloc(superBlobBytes + directoryBytes);
  // One blob, of the kind of code directories, which begins behind this list.
  for (const [i, word] of [superBlobMagic, signatureBytes, 1, 0, superBlobBytes].entries()) {
    head.writeUInt32BE(word, i * 4);
  }
  const flags = 0x20002; // Ad hoc, and by a linker: another signature may take its place.
  const hashOffset = directoryBytes + identifier.length;
  const words = [directoryMagic, length, 0x20400, flags, hashOffset, directoryBytes, 0, pages];
  for (const [i, word] of [...words, layout.codeBytes].entries()) {
    head.writeUInt32BE(word, superBlobBytes + i * 4);
  }
  // SHA-256, of 32 bytes.
  head.set([32, 2, 0, pageBits], superBlobBytes + 36);
  head.writeBigUInt64BE(BigInt(layout.textBytes), superBlobBytes + 72);
  // It is a program, no library.
  head.writeBigUInt64BE(1n, superBlobBytes + 80);
  return Buffer.concat([code, head, identifier, ...pageDigests(code)]);
}

/** Why macOS would refuse a binary's signature; undefined when it holds. */
export function signatureProblem(binary: Buffer): string | undefined {
  const { signatureCommand, codeBytes } = layoutOf(binary);
  if (binary.length !== codeBytes + binary.readUInt32LE(signatureCommand + 12)) {
    return "the file does not end with its signature";
  }
  const signature = binary.subarray(codeBytes);
  if (signature.readUInt32BE(0) !== superBlobMagic) return "there is no signature";
  const directory = signature.subarray(signature.readUInt32BE(16));
  if (directory.readUInt32BE(0) !== directoryMagic) return "the signature has no digests";
  if (directory.readUInt32BE(32) !== codeBytes) return "the signature does not cover the whole file";
  const hashOffset = directory.readUInt32BE(16);
  const wrong = pageDigests(binary.subarray(0, codeBytes)).filter(
    (digest, i) => !digest.equals(directory.subarray(hashOffset + i * 32, hashOffset + i * 32 + 32)),
  );
  return wrong.length === 0 ? undefined : `${wrong.length} pages are not those that were signed`;
}
