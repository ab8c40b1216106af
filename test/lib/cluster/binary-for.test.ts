import { describe, expect, test } from "bun:test";
import {
  type BinaryChoice,
  binaryFor,
  kindOfFile,
  type LocalBinary,
  targetOfUname,
} from "../../../lib/cluster/binary-for.ts";

function elf(machine: number, bits = 64, endian: "little" | "big" = "little"): Uint8Array {
  const head = Buffer.alloc(64);
  head.write("\x7fELF", 0, "latin1");
  head[4] = bits === 64 ? 2 : 1;
  head[5] = endian === "little" ? 1 : 2;
  if (endian === "little") head.writeUInt16LE(machine, 18);
  else head.writeUInt16BE(machine, 18);
  return head;
}

function mach(processor: number): Uint8Array {
  const head = Buffer.alloc(64);
  head.writeUInt32LE(0xfeedfacf, 0);
  head.writeUInt32LE(processor, 4);
  return head;
}

const x64 = elf(62);
const arm64 = elf(183);
const script = Buffer.from("#!/bin/sh\necho 1.2.3 and some more\n");

describe("what a machine and a file are", () => {
  test.each([
    ["Linux x86_64\n", "linux-x64"],
    ["Linux amd64", "linux-x64"],
    ["Linux aarch64", "linux-arm64"],
    ["Darwin arm64", "darwin-arm64"],
    ["Darwin x86_64", "darwin-x64"],
    ["Linux ppc64le", undefined],
    ["Linux i686", undefined],
    ["FreeBSD amd64", undefined],
    ["", undefined],
  ] as const)("%j needs %s", (uname, target) => {
    expect(targetOfUname(uname)).toBe(target);
  });

  test.each([
    ["an ELF file of x86-64", x64, { target: "linux-x64" }],
    ["an ELF file of AArch64", arm64, { target: "linux-arm64" }],
    ["an ELF file of POWER", elf(21), { other: "a Linux program for another processor" }],
    ["an ELF file of 32 bits", elf(62, 32), { other: "a Linux program for another processor" }],
    ["a big-endian ELF file", elf(62, 64, "big"), { other: "a Linux program for another processor" }],
    ["a Mach-O file of Apple's processors", mach(0x0100000c), { target: "darwin-arm64" }],
    ["a Mach-O file of Intel's", mach(0x01000007), { target: "darwin-x64" }],
    ["a Mach-O file of PowerPC", mach(0x01000012), { other: "a macOS program for another processor" }],
    ["a script", script, { other: "no program" }],
    ["an empty file", new Uint8Array(), { other: "no program" }],
  ])("%s is told by its head", (_, head, kind) => {
    expect(kindOfFile(head)).toEqual(kind as ReturnType<typeof kindOfFile>);
  });
});

const at = (path: string, head: Uint8Array): LocalBinary => ({ path, head });
const choice = (changes: Partial<BinaryChoice>): BinaryChoice => ({
  uname: "Linux aarch64",
  version: "1.2.3",
  given: undefined,
  own: at("/here/xfer", x64),
  found: [],
  folders: ["/here", "/config/xfer/bin"],
  ...changes,
});

test.each([
  ["this program fits", { uname: "Linux x86_64" }, { path: "/here/xfer" }],
  [
    "this program fits, and there is another one",
    { uname: "Linux x86_64", found: [at("/here/xfer-1.2.3-linux-x64", x64)] },
    { path: "/here/xfer" },
  ],
  [
    "a file of the release fits",
    { found: [at("/here/xfer-1.2.3-linux-arm64", arm64)] },
    { path: "/here/xfer-1.2.3-linux-arm64" },
  ],
  [
    "the first of the release's name is another, a later one fits",
    {
      found: [at("/here/xfer-1.2.3-linux-arm64", x64), at("/config/xfer/bin/xfer-1.2.3-linux-arm64", arm64)],
    },
    { path: "/config/xfer/bin/xfer-1.2.3-linux-arm64" },
  ],
  ["the one that is given fits", { given: at("/my", arm64) }, { path: "/my" }],
  [
    "the one that is given goes before this program",
    { uname: "Linux x86_64", given: at("/my", x64) },
    { path: "/my" },
  ],
  [
    "the one that is given is of another processor, though this program fits",
    { uname: "Linux x86_64", given: at("/my", arm64) },
    { problem: "--cluster-binary: /my: is an xfer for linux-arm64: it needs one of linux-x64" },
  ],
  [
    "the one that is given is no program",
    { given: at("/my", script) },
    { problem: "--cluster-binary: /my: is no program: it needs one of linux-arm64" },
  ],
  [
    "a file has the right name and another processor",
    { found: [at("/here/xfer-1.2.3-linux-arm64", elf(21))] },
    {
      problem:
        "/here/xfer-1.2.3-linux-arm64: is a Linux program for another processor: it needs one of linux-arm64",
    },
  ],
  [
    "there is none",
    {},
    {
      problem:
        "it needs the file xfer-1.2.3-linux-arm64 of the release: put it into one of /here, /config/xfer/bin, " +
        "or name it with --cluster-binary",
    },
  ],
  [
    "this program is run from its source, and there is none",
    { uname: "Linux x86_64", own: undefined },
    {
      problem:
        "it needs the file xfer-1.2.3-linux-x64 of the release: put it into one of /here, /config/xfer/bin, " +
        "or name it with --cluster-binary",
    },
  ],
  [
    "there is no xfer for the machine",
    { uname: "Linux ppc64le", given: at("/my", arm64) },
    {
      problem:
        "there is no xfer for its system (Linux ppc64le), only for linux-x64, linux-arm64, darwin-x64, darwin-arm64",
    },
  ],
] as [string, Partial<BinaryChoice>, ReturnType<typeof binaryFor>][])("%s", (_, changes, chosen) => {
  expect(binaryFor(choice(changes))).toEqual(chosen);
});
