/** The machines that xfer has a binary for, by the names of a release's files. */
const targetNames = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"] as const;

export type BinaryTarget = (typeof targetNames)[number];

/** A file of this host that may be an xfer for the far end, and how it begins. */
export interface LocalBinary {
  path: string;
  /** Its first bytes, 32 or more. */
  head: Uint8Array;
}

/** What a binary for a far end is chosen from. */
export interface BinaryChoice {
  /** What `uname -sm` prints there. */
  uname: string;
  version: string;
  /** What --cluster-binary names; it is the only one looked at then. */
  given: LocalBinary | undefined;
  /** This program, when it is a compiled one. */
  own: LocalBinary | undefined;
  /** Those of the name of a release's file that the folders hold. */
  found: readonly LocalBinary[];
  /** Where `found` was looked for. */
  folders: readonly string[];
}

/**
 * The target that a machine needs, by `uname -sm`:
 *
 * | system | machine | target |
 * |---|---|---|
 * | Linux | x86_64, amd64 | linux-x64 |
 * | Linux | aarch64, arm64 | linux-arm64 |
 * | Darwin | x86_64, arm64 | darwin-x64, darwin-arm64 |
 * | any other | | none |
 */
export function targetOfUname(uname: string): BinaryTarget | undefined {
  const [system = "", machine = ""] = uname.trim().split(/\s+/);
  const processor = /^(x86_64|amd64)$/.test(machine)
    ? "x64"
    : /^(aarch64|arm64)$/.test(machine)
      ? "arm64"
      : "";
  return targetNames.find((name) => name === `${system.toLowerCase()}-${processor}`);
}

/** ELF's and Mach-O's numbers of processors. */
const elfMachines: Readonly<Record<number, BinaryTarget>> = { 62: "linux-x64", 183: "linux-arm64" };
const machProcessors: Readonly<Record<number, BinaryTarget>> = {
  16777223: "darwin-x64",
  16777228: "darwin-arm64",
};

/** What a file is by its first bytes: a binary of a target, or what else, in words. */
export function kindOfFile(head: Uint8Array): { target: BinaryTarget } | { other: string } {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.byteLength < 32) return { other: "no program" };
  if (view.getUint32(0) === 0x7f454c46) {
    // 64 bits, little-endian: only then the machine's number is read as below.
    const isCommon = head[4] === 2 && head[5] === 1;
    const target = isCommon ? elfMachines[view.getUint16(18, true)] : undefined;
    return target === undefined ? { other: "a Linux program for another processor" } : { target };
  }
  if (view.getUint32(0, true) === 0xfeedfacf) {
    const target = machProcessors[view.getUint32(4, true)];
    return target === undefined ? { other: "a macOS program for another processor" } : { target };
  }
  return { other: "no program" };
}

/** The name of a release's file. */
export function releaseName(version: string, target: BinaryTarget): string {
  return `xfer-${version}-${target}`;
}

/**
 * Which local file is an xfer for the far end; else why there is none, in one line:
 *
 * | far end | --cluster-binary | this xfer | in the folders, of this version's name | |
 * |---|---|---|---|---|
 * | of no target | | | | none: there is no xfer for it |
 * | of a target | is of it | | | the one that was given |
 * | of a target | is of another, or no program | | | none: names both |
 * | of a target | not given | is of it | | this one |
 * | of a target | not given | is of another | is of it | the first of them |
 * | of a target | not given | is of another | is of another, or no program | none: names the first of them |
 * | of a target | not given | is of another | there is none | none: names the file, and where it was looked for |
 */
export function binaryFor(choice: BinaryChoice): { path: string } | { problem: string } {
  const { uname, version, given, own, found, folders } = choice;
  const target = targetOfUname(uname);
  if (target === undefined) {
    return {
      problem: `there is no xfer for its system (${uname.trim() || "unknown"}), only for ${targetNames.join(", ")}`,
    };
  }
  const isRight = ({ head }: LocalBinary) => {
    const kind = kindOfFile(head);
    return "target" in kind && kind.target === target;
  };
  if (given !== undefined) {
    if (isRight(given)) return { path: given.path };
    return { problem: `--cluster-binary: ${wrong(given)}: it needs one of ${target}` };
  }
  const right = [...(own === undefined ? [] : [own]), ...found].find(isRight);
  if (right !== undefined) return { path: right.path };
  const name = releaseName(version, target);
  const [first] = found;
  if (first !== undefined) return { problem: `${wrong(first)}: it needs one of ${target}` };
  return {
    problem:
      `it needs the file ${name} of the release: put it into one of ${folders.join(", ")}, ` +
      "or name it with --cluster-binary",
  };
}

function wrong({ path, head }: LocalBinary): string {
  const kind = kindOfFile(head);
  return `${path}: is ${"target" in kind ? `an xfer for ${kind.target}` : kind.other}`;
}
