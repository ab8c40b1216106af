import { describe, expect, test } from "bun:test";
import { splitRoot } from "../../../lib/rclone/connection-string.ts";
import { isLocal, localEnds, plainPath } from "../../../lib/rclone/local-ends.ts";
import { parseRemotes, Remotes } from "../../../lib/rclone/rclone-conf.ts";
import { parseRoot, type RemoteContext, resolveRemote } from "../../../lib/rclone/remote-options.ts";
import { rootKind, serverSide } from "../../../lib/rclone/root.ts";
import { looksLikePath, remoteProblem, rootProblem } from "../../../lib/rclone/root-check.ts";

const context = (
  conf: string,
  env: Record<string, string> = {},
  flags: Record<string, string> = {},
): RemoteContext => ({
  remotes: parseRemotes(conf),
  env,
  flags: new Map(Object.entries(flags)),
});

describe("a root is what rclone takes it for", () => {
  const rows: [string, unknown][] = [
    ["/a/b:c", { form: "posix", path: "/a/b:c" }],
    ["./größe:sub", { form: "posix", path: "./größe:sub" }],
    ["a,b", { form: "posix", path: "a,b" }],
    ["a/b,c=d:e", { form: "posix", path: "a/b,c=d:e" }],
    ["s3:b/p:q", { form: "remote", name: "s3", inline: false, options: [], path: "b/p:q" }],
    ["größe:sub", { form: "remote", name: "größe", inline: false, options: [], path: "sub" }],
    ["日本:b", { form: "remote", name: "日本", inline: false, options: [], path: "b" }],
    ["a b+@.-c:", { form: "remote", name: "a b+@.-c", inline: false, options: [], path: "" }],
    [
      `:s3,flag,a="x:""y,",b='it''s',c=:d`,
      {
        form: "remote",
        name: "s3",
        inline: true,
        options: [
          { name: "flag", value: "true" },
          { name: "a", value: 'x:"y,' },
          { name: "b", value: "it's" },
          { name: "c", value: "" },
        ],
        path: "d",
      },
    ],
    [
      "src,global.dry_run=true:b",
      {
        form: "remote",
        name: "src",
        inline: false,
        options: [{ name: "global.dry_run", value: "true" }],
        path: "b",
      },
    ],
  ];
  for (const [root, parsed] of rows) test(root, () => expect(splitRoot(root)).toEqual(parsed as never));
  const none = [
    ":",
    "::x",
    ":/x",
    ",a:b",
    "a*b:c",
    "-a:b",
    "a,:b",
    "a,b=c",
    "a,b='c:d",
    "a,b='c'd:e",
    "a,b/c:d",
    "a{x}:b",
  ];
  for (const root of none) {
    test(`nothing: ${root}`, () => {
      // A text without a colon is a path.
      expect(splitRoot(root).form).toBe(root.includes(":") ? "none" : "posix");
      if (root.includes(":"))
        expect(rootProblem(root)).toMatch(/: a path with a colon in its first name is written \.\//);
    });
  }
});

test("options that change rclone's flags are no options of a root", () => {
  for (const root of [
    "src,global.dry_run=true:b",
    "src,override.ignore_existing=true:b",
    ":s3,global.update:b",
  ]) {
    expect(rootProblem(root)).toMatch(/which changes rclone's flags: use --rclone-flags$/);
  }
});

test("a remote must be one that rclone has, and end at no relative path", () => {
  const here = context(
    "[s3 a]\ntype=s3\n[größe]\ntype=s3\n[rel]\ntype=alias\nremote=sub\n[abs]\ntype=alias\nremote=/x\n",
    {
      RCLONE_CONFIG_ENV_TYPE: "s3",
    },
  );
  const fine = [
    "/x",
    "x",
    "s3 a:b",
    "größe:b",
    "env:b",
    ":s3:b",
    "abs:y",
    "s3 a:b/..x/.y/z..",
    "typed,type=s3:b",
    ":local:/x",
  ];
  expect(fine.map((root) => remoteProblem(root, here))).toEqual(fine.map(() => undefined));
  const bad = [
    "größer:sub",
    "日本:b",
    "s3:b",
    "rel:y",
    ":local:x",
    ":local:",
    ":日本:b",
    ":alias,remote=sub:x",
    "s3 a:b/p//q",
    "s3 a:b/../c",
    "s3 a:b/./x",
    "s3 a:b/x/..",
  ];
  expect(bad.filter((root) => remoteProblem(root, here) === undefined)).toEqual([]);
  expect(remoteProblem("日本:b", here)).toBe(
    "names the remote 日本, which rclone.conf does not have: a path with a colon in its first name is written ./日本:b",
  );
  const unknown: RemoteContext = { remotes: new Remotes(false), env: {}, flags: new Map() };
  expect(remoteProblem("日本:b", unknown)).toBeUndefined();
  expect(["größe:x", "a@b:x", "a b:x", "./größe:x", "s3:b"].map(looksLikePath)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});

test("rclone.conf is read as rclone reads it, or is not certain", () => {
  const read = parseRemotes(
    "# c\r\n; d\n[ a b ]\r\ntype = s3\r\nendpoint=http://x:1\nremote: r:p\nempty =\n[a b]\nregion = x=y\n",
  );
  expect([...(read.get("a b") ?? [])]).toEqual([
    ["type", "s3"],
    ["endpoint", "http://x:1"],
    ["remote", "r:p"],
    ["empty", ""],
    ["region", "x=y"],
  ]);
  expect(read.certain).toBe(true);
  for (const conf of [
    "RCLONE_ENCRYPT_V0:\nabc\n",
    "# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\nabc=\n",
    "[a]\ntype = s3\nendpoint = %(other)s\n",
    "[a]\ntype = `s3`\n",
    '[a]\n"type" = s3\n',
    "[a]\nnonsense\n",
    "[a]\ntype = s3\n[a.b]\nregion = x\n",
    "type = s3\n",
  ]) {
    expect([conf, parseRemotes(conf).certain]).toEqual([conf, false]);
  }
});

const s3 = (name: string, more = "") => `[${name}]\ntype = s3\nprovider = Other\naccess_key_id = k\n${more}`;

test("options come from where rclone takes them first", () => {
  const endpoint = (root: string, env: Record<string, string>, flags: Record<string, string> = {}) => {
    const parsed = parseRoot(root);
    if (parsed.form !== "remote") throw new Error(root);
    const { options, certain } = resolveRemote(parsed, context(conf, env, flags));
    return [options.get("endpoint"), certain];
  };
  const conf = `${s3("dst", "endpoint = conf\n")}${s3("my-r", "endpoint = conf\n")}${s3("größe x", "endpoint = conf\n")}`;
  const rows: [string, Record<string, string>, Record<string, string>, string, boolean][] = [
    ["dst:b", {}, {}, "conf", true],
    ["dst:b", { RCLONE_CONFIG_DST_ENDPOINT: "env" }, {}, "env", true],
    ["dst:b", { RCLONE_CONFIG_dst_ENDPOINT: "env" }, {}, "conf", true],
    ["dst:b", { RCLONE_S3_ENDPOINT: "all" }, {}, "all", true],
    ["dst:b", { RCLONE_S3_ENDPOINT: "all", RCLONE_CONFIG_DST_ENDPOINT: "env" }, {}, "env", false],
    ["dst:b", { RCLONE_CONFIG_DST_ENDPOINT: "env" }, { "s3-endpoint": "flag" }, "flag", true],
    ["dst,endpoint=own:b", { RCLONE_CONFIG_DST_ENDPOINT: "env" }, { "s3-endpoint": "flag" }, "own", true],
    ["my-r:b", { "RCLONE_CONFIG_MY-R_ENDPOINT": "env" }, {}, "env", true],
    ["my-r:b", { RCLONE_CONFIG_MY_R_ENDPOINT: "env" }, {}, "conf", true],
    ["größe x:b", { "RCLONE_CONFIG_GRÖßE X_ENDPOINT": "env" }, {}, "env", true],
    ["größe x:b", { "RCLONE_CONFIG_GRÖSSE X_ENDPOINT": "env" }, {}, "conf", true],
    [":s3:b", { "RCLONE_CONFIG_:S3_ENDPOINT": "env" }, {}, "env", true],
  ];
  expect(rows.map(([root, env, flags]) => [root, env, flags, ...endpoint(root, env, flags)])).toEqual(rows);
});

test("two remotes are one place only when all that rclone will use is known and equal", () => {
  const conf = `${s3("a", "endpoint = x\n")}${s3("b", "endpoint = x\nchunk_size = 5M\ndescription = d\n")}${s3("c", "endpoint = y\n")}[al]\ntype = alias\nremote = a:x\n`;
  const rows: [string, string, Record<string, string>, Record<string, string>, string][] = [
    ["a:x", "a:y", {}, {}, "same-remote"],
    ["a:x", "b:y", {}, {}, "same-endpoint"],
    ["a:x", "c:y", {}, {}, "apart"],
    ["a:x", "b:y", { RCLONE_CONFIG_B_ENDPOINT: "y" }, {}, "apart"],
    ["a:x", "b:y", { RCLONE_CONFIG_A_ENDPOINT: "x" }, {}, "same-endpoint"],
    ["a:x", "c:y", { RCLONE_CONFIG_C_ENDPOINT: "x" }, {}, "same-endpoint"],
    ["a:x", "c:y", {}, { "s3-endpoint": "z" }, "same-endpoint"],
    ["a:x", "b:y", { RCLONE_CONFIG_B_SECRET_ACCESS_KEY: "s" }, {}, "apart"],
    ["a:x", "b:y", { RCLONE_CONFIG_B_ENV_AUTH: "true" }, {}, "apart"],
    ["a:x", "b:y", { RCLONE_CONFIG_B_TYPE: "alias" }, {}, "apart"],
    ["a:x", "b:y", { RCLONE_CONFIG_B_OPTION_OF_TOMORROW: "1" }, {}, "apart"],
    ["a:x", "b:y", { RCLONE_CONFIG_B_ENDPOINT: "x", RCLONE_S3_ENDPOINT: "y" }, {}, "apart"],
    ["a:x", "b,endpoint=y:y", {}, {}, "apart"],
    ["a:x", "c,endpoint=x:y", {}, {}, "same-endpoint"],
    ["a:x", "al:y", {}, {}, "apart"],
    ["a:x", "none:y", {}, {}, "apart"],
  ];
  expect(
    rows.map(([one, other, env, flags]) => [
      one,
      other,
      env,
      flags,
      serverSide(one, other, context(conf, env, flags)),
    ]),
  ).toEqual(rows);
  const uncertain = context(`${conf}[odd]\nx = %(y)s\n`);
  expect(serverSide("a:x", "b:y", uncertain)).toBe("apart");
  expect(rootKind("a,type=alias:x", uncertain.remotes, {})).toBe("other");
});

test("the paths that a root ends at", () => {
  const conf =
    "[l]\ntype=local\n[al]\ntype=alias\nremote=/d/e\n[al2]\ntype=alias\nremote=al:f\n[cr]\ntype=crypt\nremote=al2:g\n" +
    '[ch]\ntype=chunker\nremote=cr:\n[un]\ntype=union\nupstreams=/u1 al:u2:ro "/u 3:nc" s:b\n' +
    '[co]\ntype=combine\nupstreams=a=/c1 "b=/c 2"\n[s]\ntype=s3\n[loop]\ntype=alias\nremote=loop:\n[ca]\ntype=cache\nremote=/k\n' +
    "[co2]\ntype=compress\nremote=un:\n[odd]\ntype=backend of tomorrow\n";
  const rows: [string, string[], boolean][] = [
    ["/a/b", ["/a/b"], true],
    ["l:/a", ["/a"], true],
    [":local:/a", ["/a"], true],
    ["al:", ["/d/e"], true],
    ["al:x", ["/d/e/x"], true],
    ["al2:x/y", ["/d/e/f/x/y"], true],
    ["cr:x", ["/d/e/f/g"], true],
    ["ch:x", ["/d/e/f/g"], true],
    ["un:x", ["/u1", "/d/e/u2", "/u 3"], true],
    ["co:a/x", ["/c1", "/c 2"], true],
    ["co2:", ["/u1", "/d/e/u2", "/u 3"], true],
    [":crypt,remote='al:q':x", ["/d/e/q"], true],
    ["s:b", [], true],
    [":s3,env_auth:b", [], true],
    ["ca:x", ["/k"], false],
    ["loop:x", [], false],
    ["odd:x", [], false],
    ["none:x", [], false],
  ];
  expect(rows.map(([root]) => [root, ...Object.values(localEnds(root, context(conf)))])).toEqual(rows);
  const moved = context(conf, { RCLONE_CONFIG_AL_REMOTE: "/other", RCLONE_CONFIG_S_TYPE: "local" });
  expect(localEnds("al2:x", moved).paths).toEqual(["/other/f/x"]);
  expect(localEnds("s:/b", moved)).toEqual({ paths: ["/b"], certain: true });
  const unread: RemoteContext = {
    remotes: new Remotes(false),
    env: { RCLONE_CONFIG_S_TYPE: "s3" },
    flags: new Map(),
  };
  const odd = context(`${conf}[x]\ny = %(z)s\n`);
  expect(["l:/a", "s:b", "al:x", ":s3:b", ":local:/a"].map((root) => localEnds(root, odd).certain)).toEqual([
    false,
    false,
    false,
    true,
    true,
  ]);
  expect([localEnds("al:x", unread), localEnds("s:b", unread)].map(isLocal)).toEqual([true, false]);
});

test("what an end's certainty is made of, and how deep remotes may wrap", () => {
  const chain = Array.from({ length: 20 }, (_, i) => `[a${i}]\ntype=alias\nremote=a${i + 1}:\n`).join("");
  const here = context(
    `${chain}[a20]\ntype=local\n[a4]\ntype=alias\nremote=/deep\n[w]\ntype=union\nupstreams=/w:writeback /a:ro/b\n` +
      '[half]\ntype=union\nupstreams=/h none:x\n[empty]\ntype=union\n[q]\ntype=union\nupstreams="/say ""hi"""\n',
  );
  expect(localEnds("w:", here)).toEqual({ paths: ["/w", "/a:ro/b"], certain: true });
  expect(localEnds("half:", here)).toEqual({ paths: ["/h"], certain: false });
  expect(localEnds("empty:", here)).toEqual({ paths: [], certain: false });
  expect(localEnds("q:", here)).toEqual({ paths: ['/say "hi"'], certain: true });
  expect(localEnds("a0:x", here)).toEqual({ paths: ["/deep/x"], certain: true });
  expect(localEnds("a5:x", here).certain).toBe(true);
  expect(
    [
      { paths: ["/a"], certain: true },
      { paths: ["/a", "/b"], certain: true },
      { paths: [], certain: true },
      { paths: [], certain: false },
    ].map(isLocal),
  ).toEqual([true, true, false, true]);
});

test("the path at which keys are files of their own names", () => {
  const here = context(
    "[l]\ntype=local\n[al]\ntype=alias\nremote=/d/e\n[al2]\ntype=alias\nremote=al:f\n[cr]\ntype=crypt\nremote=/c\n" +
      "[un]\ntype=union\nupstreams=/u\n[s]\ntype=s3\n[as]\ntype=alias\nremote=s:b\n[loop]\ntype=alias\nremote=loop:\n[no]\ntype=alias\n",
  );
  const rows: [string, string | undefined][] = [
    ["/a/b", "/a/b"],
    ["l:/a", "/a"],
    ["al:", "/d/e"],
    ["al2:x", "/d/e/f/x"],
    ["cr:x", undefined],
    ["un:x", undefined],
    ["s:b", undefined],
    ["as:x", undefined],
    ["loop:x", undefined],
    ["no:x", undefined],
    ["none:x", undefined],
  ];
  for (const [root, path] of rows) expect(plainPath(root, here)).toBe(path);
  const unread: RemoteContext = {
    remotes: new Remotes(false),
    env: { RCLONE_CONFIG_L_TYPE: "local" },
    flags: new Map(),
  };
  expect(plainPath("l:/a", unread)).toBeUndefined();
});
