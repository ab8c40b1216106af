import { expect, test } from "bun:test";
import { signatureProblem, signMachO } from "../../.ci/mach-signature.ts";

const codeBytes = 4096 * 3 + 700;
const linkeditStart = 4096 * 3;

/** A Mach-O of 64 bits with a signature that is none, as Bun leaves it for Intel processors. */
function machO(): Buffer {
  const segment = (name: string, fileOffset: number, bytes: number) => {
    const command = Buffer.alloc(72);
    command.writeUInt32LE(0x19, 0);
    command.writeUInt32LE(72, 4);
    command.write(name, 8);
    command.writeBigUInt64LE(BigInt(bytes), 32);
    command.writeBigUInt64LE(BigInt(fileOffset), 40);
    command.writeBigUInt64LE(BigInt(bytes), 48);
    return command;
  };
  const signature = Buffer.alloc(16);
  for (const [i, word] of [0x1d, 16, codeBytes, 40].entries()) signature.writeUInt32LE(word, i * 4);
  const commands = [
    segment("__TEXT", 0, linkeditStart),
    segment("__LINKEDIT", linkeditStart, 740),
    signature,
  ];
  const header = Buffer.alloc(32);
  header.writeUInt32LE(0xfeedfacf, 0);
  header.writeUInt32LE(commands.length, 16);
  const start = Buffer.concat([header, ...commands]);
  const code = Buffer.alloc(codeBytes - start.length, "code");
  return Buffer.concat([start, code, Buffer.alloc(40)]);
}

test("a signature covers every page, and the segment that holds it is as long as it is", () => {
  const signed = signMachO(machO(), "xfer");
  expect(signatureProblem(signed)).toBeUndefined();
  const linkedit = 32 + 72;
  expect(signed.readBigUInt64LE(linkedit + 48)).toBe(BigInt(signed.length - linkeditStart));
  expect(signed.readBigUInt64LE(linkedit + 32)).toBe(16384n);
  expect(signatureProblem(signMachO(signed, "xfer"))).toBeUndefined();
});

test.each([
  ["no signature", (b: Buffer) => b, /no signature/],
  ["a byte that is another one", (b: Buffer) => change(signMachO(b, "xfer"), 4096 * 2), /1 pages are not/],
  [
    "a byte of the last page that is another one",
    (b: Buffer) => change(signMachO(b, "xfer"), codeBytes - 1),
    /1 pages are not/,
  ],
  ["a rest behind it", (b: Buffer) => Buffer.concat([signMachO(b, "xfer"), Buffer.alloc(4)]), /does not end/],
])("%s is found", (_, make, problem) => {
  expect(signatureProblem(make(machO()))).toMatch(problem);
});

function change(binary: Buffer, at: number): Buffer {
  binary.writeUInt8(binary.readUInt8(at) ^ 1, at);
  return binary;
}
