import { afterAll, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cutSections, wrappedRemotes } from "../../../lib/cluster/conf-sections.ts";
import { addSections, confProblem, lookAtConf, parseLook } from "../../../lib/cluster/far-conf.ts";
import { thisHost } from "../../../lib/cluster/far-end.ts";
import type { Profile } from "../../../lib/cluster/profile.ts";
import { parseReached, reachScript } from "../../../lib/cluster/reachable.ts";
import { patience } from "../../setup/pace.ts";

const dir = mkdtempSync(join(tmpdir(), "xfer conf '"));
afterAll(() => rmSync(dir, { recursive: true }));

const stop = new AbortController().signal;
const encrypted = join(import.meta.dir, "..", "..", "data", "rclone.encrypted.conf");

describe("sections that are cut out", () => {
  const conf =
    "\uFEFF# old = Secret0\r\n[a]\r\ntype = s3\r\nkey=Secret1\r\n\r\n; Secret2\n[ b c ]\n\ntype: local\n[a]\nmore = x\n";
  test.each<[string, string[], string]>([
    ["one", ["b c"], "[b c]\ntype: local\n"],
    ["one that is there twice", ["a"], "[a]\ntype = s3\nkey=Secret1\nmore = x\n"],
    [
      "two, as they are asked for",
      ["b c", "a"],
      "[b c]\ntype: local\n\n[a]\ntype = s3\nkey=Secret1\nmore = x\n",
    ],
  ])("%s", (_, names, text) => {
    expect(cutSections("f", conf, names)).toBe(text);
  });

  test.each<[string, string, string]>([
    ["is not there", "[a]\nkey = Secret\n", "f has no remote x: it has a"],
    [
      "has a value of lines",
      '[x]\nkey = """Secret\n"""\n',
      "f: the remote x has a value that only rclone can read",
    ],
    ["has a variable", "[x]\nkey = %(Secret)s\n", "f: the remote x has a value that only rclone can read"],
    [
      "is in an encrypted file",
      readFileSync(encrypted, "utf8"),
      "f is encrypted, and a part of it cannot be sent",
    ],
  ])("one that %s is refused", (_, text, message) => {
    const cut = () => cutSections("f", text, ["x"]);
    expect(cut).toThrow(message);
    expect(cut).not.toThrow("Secret");
  });
});

test.each([
  ["[c]\ntype = crypt\nremote = s3:bucket\n", ["s3"]],
  ["[c]\ntype = crypt\nremote = s3:bucket\n[s3]\ntype = s3\n", []],
  ["[u]\nupstreams = a:x b:y:ro /here\n", ["a", "b"]],
  ["[k]\nupstreams = in=a:x out=b:\n", ["a", "b"]],
  ["[a]\nremote = /path:x\n", []],
])("of %j the remotes that others are made of are %p", (text, names) => {
  expect(wrappedRemotes(text)).toEqual(names);
});

function place(name: string, content?: string, mode = 0o600): { path: string; profile: Profile } {
  const path = join(dir, name);
  if (content !== undefined) writeFileSync(path, content, { mode });
  const head = { schema: "xfer.cluster.v1", name: "c", host: "local", run_root: "/r" } as const;
  return { path, profile: { ...head, rclone_config: path, mounts: [] } };
}

describe("an rclone.conf at a cluster", () => {
  test.each<[string, string | undefined, number, object, string | undefined]>([
    ["missing", undefined, 0, { state: "missing", remotes: [] }, "no such file: xfer rclone-config deploy"],
    [
      "whole",
      "[a]\nk = v\n [ b c ] \r\n",
      0o600,
      { state: "there", mode: "0600", remotes: ["a", "b c"] },
      undefined,
    ],
    ["empty", "", 0o600, { state: "there", mode: "0600", remotes: [] }, undefined],
    [
      "open",
      "[a]\n",
      0o644,
      { state: "there", mode: "0644" },
      "others can read it (mode 0644), and it holds credentials: chmod 600",
    ],
    [
      "encrypted",
      readFileSync(encrypted, "utf8"),
      0o600,
      { state: "encrypted", remotes: [] },
      "is encrypted, and the array's tasks",
    ],
  ])("that is %s", async (name, content, mode, expected, problem) => {
    const { path, profile } = place(name, content, mode);
    const conf = await lookAtConf(thisHost(), profile, stop);
    expect(conf).toMatchObject({ path, ...expected });
    const said = confProblem({ host: "h" }, conf);
    if (problem === undefined) expect(said).toBeUndefined();
    else expect(said).toContain(problem);
  });

  test("that may not be read is told", () => {
    const conf = parseLook("/f\n0600\nunreadable\n");
    expect(conf).toEqual({ path: "/f", mode: "0600", state: "unreadable", remotes: [], sum: "" });
    expect(confProblem({ host: "h" }, conf)).toBe("h:/f: may not be read by this user");
  });
});

describe("sections that are added", () => {
  const text = "[b]\ntype = new\n";
  const add = async (profile: Profile, end = thisHost()) => {
    const { sum } = await lookAtConf(thisHost(), profile, stop);
    await addSections(end, profile, { text, names: ["b"], sum, stop });
  };
  test.each<[string, string | undefined, string]>([
    ["to no file", undefined, text],
    ["to an empty one", "", text],
    ["behind others", "# x\n[a]\nk = v\n", `# x\n[a]\nk = v\n\n${text}`],
    ["behind a line without an end", "[a]\nk = v", `[a]\nk = v\n\n${text}`],
    [
      "in place of one",
      "[b]\nold = 1\n# of b\nold = 2\n\n# of a\n[a]\n# k\nk = v\r\n\n",
      `# of a\n[a]\n# k\nk = v\r\n\n${text}`,
    ],
    [
      "in place of the last one",
      "[a]\nk = v\n\n[ b ]\nold = 1\n\n# the end\n",
      `[a]\nk = v\n\n# the end\n\n${text}`,
    ],
    ["in place of the only one", "[b]\nold = 1\n", text],
    ["beside one whose name begins so", "[bb]\nk = v\n", `[bb]\nk = v\n\n${text}`],
  ])("%s", async (name, before, after) => {
    const { path, profile } = place(name, before);
    await add(profile);
    expect(readFileSync(path, "utf8")).toBe(after);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(dir).filter((file) => file.includes(".xfer."))).toEqual([]);
  });

  test("into a folder that is not there yet, and through a link", async () => {
    const { path } = place("real.conf", "[a]\n");
    symlinkSync(path, join(dir, "link.conf"));
    await add(place("link.conf").profile);
    expect(readFileSync(path, "utf8")).toBe(`[a]\n\n${text}`);
    const { path: deep, profile } = place("new 'folder'/deep/rclone.conf");
    await add(profile);
    expect(readFileSync(deep, "utf8")).toBe(text);
    expect(statSync(join(dir, "new 'folder'")).mode & 0o777).toBe(0o700);
  });

  test("in files that are for this user alone from their first byte, and the old one stays until all is there", async () => {
    const { path, profile } = place("slow", "[a]\n");
    const host = thisHost();
    const beside = () => readdirSync(dir).filter((name) => name.startsWith("slow.xfer."));
    const seen: number[] = [];
    const slow: typeof host = {
      ...host,
      run: (script, options) =>
        host.run(script, {
          ...options,
          input: (async function* () {
            yield new TextEncoder().encode(text.slice(0, 5));
            const isOver = patience(20_000);
            while (!beside().some((name) => statSync(join(dir, name)).size === 5) && !isOver())
              await Bun.sleep(5);
            seen.push(...beside().map((name) => statSync(join(dir, name)).mode & 0o777));
            expect(readFileSync(path, "utf8")).toBe("[a]\n");
            yield new TextEncoder().encode(text.slice(5));
          })(),
        }),
    };
    await add(profile, slow);
    expect(seen).toEqual([0o600, 0o600]);
    expect(readFileSync(path, "utf8")).toBe(`[a]\n\n${text}`);
  });

  test("not at all when less arrives than was sent", async () => {
    const { path, profile } = place("cut", "[a]\n");
    const host = thisHost();
    const cut: typeof host = {
      ...host,
      run: (script, options) =>
        host.run(script, {
          ...options,
          input: (async function* () {
            yield new TextEncoder().encode(text.slice(0, 5));
          })(),
        }),
    };
    const adding = add(profile, cut);
    await expect(adding).rejects.toThrow("rclone.conf is as it was: the connection was lost");
    expect(readFileSync(path, "utf8")).toBe("[a]\n");
    expect(readdirSync(dir).filter((file) => file.startsWith("cut."))).toEqual([]);
  });
});

test("sections are not added to a file that somebody has changed since it was looked at", async () => {
  const { path, profile } = place("changed", "[a]\n");
  const { sum } = await lookAtConf(thisHost(), profile, stop);
  writeFileSync(path, "[a]\n[b]\nmine = 1\n");
  const adding = addSections(thisHost(), profile, { text: "[b]\n", names: ["b"], sum, stop });
  await expect(adding).rejects.toThrow("rclone.conf is as it was: somebody changed it meanwhile");
  expect(readFileSync(path, "utf8")).toBe("[a]\n[b]\nmine = 1\n");
});

test("roots are asked from a compute node one by one, and each answer is its own", () => {
  const { profile } = place("none");
  const script = reachScript({ ...profile, image: "/i" }, ["a:", "b:x y"]);
  const lines = script.split("\n");
  expect(lines[1]).toContain(`--container-mounts="$f":/etc/rclone/rclone.conf:ro rclone lsd `);
  expect(lines[1]).toContain(" a: --config /etc/rclone/rclone.conf 2>&1 >/dev/null < /dev/null");
  expect(lines[2]).toContain("rclone lsf --max-depth 1 ");
  expect(lines[2]).toContain(" 'b:x y' ");
  const refused = "2026/11/25 10:00:00 Failed to lsf with 2 errors: last error was: directory not found\n";
  expect(
    parseReached(`== r0\nsrun: job 1 queued and waiting for resources\n== ok0\n== r1\n${refused}`, [
      "a:",
      "b:x y",
    ]),
  ).toEqual([
    { root: "a:", problem: undefined },
    { root: "b:x y", problem: expect.stringContaining("directory not found") },
  ]);
  expect(existsSync(join(dir, "none"))).toBe(false);
});
