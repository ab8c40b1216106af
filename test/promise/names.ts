import type { Draw } from "./draw.ts";

/**
 * The bytes of a name, a character for each byte: POSIX names need not be UTF-8, and two names are one only when all of
 * their bytes are.
 */
export type Name = string;

export const nameOf = (text: string): Name => Buffer.from(text, "utf8").toString("latin1");
export const textOf = (name: Name): string => Buffer.from(name, "latin1").toString("utf8");
export const bytesOf = (name: Name): Buffer => Buffer.from(name, "latin1");
export const isUtf8 = (name: Name): boolean => nameOf(textOf(name)) === name;

/** The two kinds of store that a round moves objects between. */
export type StoreKind = "s3" | "posix";

const plain = [
  "a",
  "b",
  "A",
  "dir",
  "Dir",
  "file.txt",
  "data-1",
  "data-10",
  "x",
  "y",
  "z.tar.gz",
  "...",
  "..x",
];

/** Components that a careless program breaks, and that a careful one can carry. */
const awkward = [
  ...[
    " lead",
    "trail ",
    "  ",
    " ",
    "in side",
    "#x",
    ";x",
    "# ; x",
    "'q'",
    '"q"',
    "back\\slash",
    "col:on",
    "-dash",
  ],
  ...[
    "--flag",
    "a*b?[c]",
    "{x,y}",
    "$(id)",
    "`id`",
    "$HOME",
    "%2F",
    "100%",
    "c+d",
    "&<>",
    "~",
    "tail.",
    "\u{1F600}",
  ],
  ...[
    "tab\tx",
    "nl\nx",
    "cr\rx",
    "\x01\x1f",
    "del\x7f",
    "c1\u0085x",
    "\u00a0x",
    "\u2028x",
    "\ufeffx",
    "\u{10FFFF}",
  ],
  ...[
    "\u240a",
    "x\u240ax",
    "\u2421",
    "\u201b\u240a",
    "é",
    "e\u0301",
    "Å",
    "\u212b",
    "\uff0e",
    "\uff0e\uff0e",
    "x\uff0e",
  ],
  ...[
    "fw\uff0fslash",
    "\u201b\uff0e",
    "ß",
    "SS",
    "ı",
    "I",
    "日本",
    "größe",
    "\ufffd",
    "x\ufffdx",
    "null",
    "CON",
    ".hidden",
  ],
];

/** Components that rclone shows in another form than the store has them, or cannot reach. */
const unreachable = [".", "..", "", "\u201b", "q\u201bx", "\u201b\u201b", "nul\0x", "\u2400", "x\u2400"];

const notUtf8 = ["M\xfcller", "M\xe4ller", "\xff", "x\x80", "\xc3", "\xed\xa0\x80"];

/** How far the names of a tree go. */
export interface Hazards {
  unreachable: boolean;
  notUtf8: boolean;
  long: boolean;
}

/** `count` different names, many of them in each other's way. */
export function drawNames(draw: Draw, count: number, hazards: Hazards): Name[] {
  const names = new Set<Name>();
  for (let tries = 0; names.size < count && tries < count * 20; tries++) {
    const others = [...names];
    const name =
      others.length > 0 && draw.chance(0.45)
        ? neighbourOf(draw, draw.one(others), hazards)
        : drawPath(draw, hazards);
    if (name !== "" && name.length <= 1000) names.add(name);
  }
  return [...names];
}

function drawPath(draw: Draw, hazards: Hazards): Name {
  const depth = draw.one([1, 1, 2, 2, 3, 5]);
  return Array.from({ length: depth }, () => drawComponent(draw, hazards)).join("/");
}

function drawComponent(draw: Draw, hazards: Hazards): Name {
  if (hazards.notUtf8 && draw.chance(0.15)) return draw.one(notUtf8);
  if (hazards.unreachable && draw.chance(0.15)) return nameOf(draw.one(unreachable));
  if (hazards.long && draw.chance(0.1)) return longComponent(draw);
  return nameOf(draw.one(draw.chance(0.5) ? plain : awkward));
}

function longComponent(draw: Draw): Name {
  const length = draw.one([200, 240, 250, 253, 254, 255]);
  return draw.chance(0.5) ? "l".repeat(length) : nameOf("é".repeat(length >> 1)).padEnd(length, "l");
}

/** A name that differs from another by what stores, file systems and programs like to take for the same. */
function neighbourOf(draw: Draw, name: Name, hazards: Hazards): Name {
  const text = textOf(name);
  const ways: (() => Name)[] = [
    () => `${name}/${drawComponent(draw, hazards)}`,
    () => name.slice(0, Math.max(0, name.lastIndexOf("/"))),
    () => `${name.slice(0, name.lastIndexOf("/") + 1)}${drawComponent(draw, hazards)}`,
    () => `${name} `,
    () => `${name}1`,
    () => nameOf(text.toUpperCase()),
    () => nameOf(text.toLowerCase()),
    () => nameOf(text.normalize("NFC")),
    () => nameOf(text.normalize("NFD")),
    () => nameOf(text.replace(/[\x00-\x1f]/g, (c) => String.fromCharCode(0x2400 + c.charCodeAt(0)))),
    () => nameOf(text.replaceAll(".", "\uff0e")),
    () => nameOf(text.replaceAll("\u2421", "\x7f")),
  ];
  if (hazards.unreachable) {
    ways.push(
      () => nameOf(text.replaceAll("\uff0e", ".")),
      () => name.replace("/", "//"),
      () => name.replace("/", "/./"),
      () => name.replaceAll("//", "/"),
      () => `/${name}`,
      () => `${name}/`,
      () => `${name}//`,
    );
  }
  if (hazards.notUtf8) ways.push(() => name.replace(/[\x80-\xff]+/, nameOf("\ufffd")));
  return draw.one(ways)();
}

/** Those of the names that a store of that kind can hold beside each other, the earlier ones first. */
export function holdable(names: readonly Name[], kind: StoreKind, beside: readonly Name[] = []): Name[] {
  if (kind === "s3") return names.filter((name) => isUtf8(name) && name !== "");
  const files = new Set(beside);
  const folders = new Set(beside.flatMap(foldersOf));
  return names.filter((name) => {
    if (!isPosixPath(name) || files.has(name) || folders.has(name)) return false;
    if (foldersOf(name).some((folder) => files.has(folder))) return false;
    files.add(name);
    for (const folder of foldersOf(name)) folders.add(folder);
    return true;
  });
}

const isPosixPath = (name: Name): boolean =>
  !name.includes("\0") &&
  name.split("/").every((part) => part !== "" && part !== "." && part !== ".." && part.length <= 255);

/** The folders that a name lies in, the outermost first. */
export function foldersOf(name: Name): Name[] {
  const folders: Name[] = [];
  for (let at = name.indexOf("/"); at >= 0; at = name.indexOf("/", at + 1)) folders.push(name.slice(0, at));
  return folders;
}

/** A name that every store and every rclone carries: no run has an excuse for it. */
export const isPlain = (name: Name): boolean =>
  /^[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/.test(name) &&
  name.length <= 400 &&
  name.split("/").every((part) => part.length <= 200);

/**
 * A form that a name shares with all forms in which rclone, JSON and xfer may show it: control characters as their
 * symbols, dots that are full-width, quoting marks, bytes that are no UTF-8.
 */
export function shownForm(text: string): string {
  return text
    .replaceAll("\u201b", "")
    .replace(/[\x00-\x1f]/g, (c) => String.fromCharCode(0x2400 + c.charCodeAt(0)))
    .replaceAll("\x7f", "\u2421")
    .replaceAll("\uff0e", ".")
    .replaceAll("\uff0f", "/")
    .replace(/\ufffd+/g, "\ufffd");
}
