import { expect, test } from "bun:test";
import { rootProblem } from "../../../lib/rclone/root-check.ts";
import { hasUrlSecret, imageProblem, showsVariable, slurmWordsProblem } from "../../../lib/rclone/secrets.ts";
import { sortUserFlags } from "../../../lib/rclone/user-flags.ts";

const hunter = "hunter2";

test("roots that hold a credential, or may, are refused without repeating it", () => {
  const roots = [
    ":s3,access_key_id=hunter2:b",
    ":s3,secret_access_key=hunter2:b",
    ":s3,session_token=hunter2:b",
    ":s3,sse_customer_key=hunter2:b",
    ":s3,sse_customer_key_base64=hunter2:b",
    ":s3,ibm_api_key=hunter2:b",
    ":oracleobjectstorage,sse_customer_key=hunter2:b",
    ":sftp,key_pem=hunter2:x",
    ":sftp,pass=hunter2:x",
    ":storj,passphrase=hunter2:x",
    ":storj,access_grant=hunter2:x",
    ":azureblob,connection_string='hunter2':x",
    ":azureblob,sas_url='hunter2':x",
    ":http,headers='Cookie,hunter2',url='http://h':x",
    ":webdav,headers='Authorization,hunter2':x",
    ":webdav,bearer_token=hunter2:x",
    ":s3,option_of_tomorrow=hunter2:b",
    ":backend of tomorrow,anything=hunter2:b",
    "r,secret_access_key='hunter2':b",
    "r,option_of_tomorrow=hunter2:b",
    "r,Secret_Access_Key=hunter2:b",
    ":alias,remote=':s3,secret_access_key=hunter2:b':x",
    `:alias,remote=":alias,remote=':s3,secret_access_key=hunter2:b':":x`,
    ":alias,remote=':s3,secret_access_key=hunter2':x",
    ":union,upstreams='a: :s3,secret_access_key=hunter2':x",
    ":union,upstreams='a: :s3,secret_access_key=hunter2:b':x",
    ":union,upstreams='a: \":s3,provider=Other,secret_access_key=hunter2:b\"':x",
    ":combine,upstreams='d=:s3,secret_access_key=hunter2:b':x",
    ":s3,endpoint='http://u:hunter2@h':b",
    ":s3,endpoint='http://hunter2@h':b",
    ":http,url='http://h/?X-Amz-Signature=hunter2':x",
    "http://u:hunter2@h/x",
  ];
  expect(roots.filter((root) => rootProblem(root) === undefined)).toEqual([]);
  expect(roots.map((root) => rootProblem(root)).filter((text) => text?.includes(hunter))).toEqual([]);
});

test("roots whose options rclone marks as no secret may be used", () => {
  const roots = [
    ":s3,provider=Other,endpoint='http://127.0.0.1:9000',env_auth,region=x:b",
    "r,chunk_size=64Mi,storage_class=GLACIER:b/p",
    ":alias,remote='r:b':x",
    ":alias,remote=':s3,env_auth,region=x:b':x",
    ":union,upstreams='/a r:b:ro',create_policy=ff:x",
    "s3:b/x?sig=1&token=2",
    "/a/http://u:p@h",
  ];
  expect(roots.map((root) => rootProblem(root))).toEqual(roots.map(() => undefined));
});

test("flags that hold a credential, or may, or print it, are refused without repeating it", () => {
  const lists = [
    ["--s3-secret-access-key", hunter],
    ["--s3-access-key-id=hunter2"],
    ["--s3-sse-customer-key", hunter],
    ["--s3-option-of-tomorrow", hunter],
    ["--sftp-key-pem=hunter2"],
    ["--sftp-pass", hunter],
    ["--storj-passphrase=hunter2"],
    ["--http-headers", "Cookie,hunter2"],
    ["--header", "Authorization: hunter2"],
    ["--header-upload=hunter2"],
    ["--client-pass", hunter],
    ["--rc-pass=hunter2"],
    ["--newcloud-access-token", hunter],
    ["--http-proxy", "http://u:hunter2@h:1"],
    ["--http-proxy=u:hunter2@h:1"],
    ["--alias-remote=:s3,secret_access_key=hunter2:b"],
    ["--crypt-remote", ":s3,secret_access_key=hunter2"],
    ["--union-upstreams", "/a a: :s3,secret_access_key=hunter2:b"],
    ["--combine-upstreams", "d=:s3,session_token=hunter2:b"],
    ["--s3-endpoint", "https://u:hunter2@h"],
    ["--anything", "https://h/?sig=hunter2"],
    ["--dump", "auth"],
    ["--dump=headers,bodies"],
    ["--dump-headers"],
    ["--dump-bodies=true"],
  ];
  for (const words of lists) {
    expect(() => sortUserFlags(words), words.join(" ")).toThrow(
      /^(?!.*hunter2)--rclone-flags: --[\w-]+ cannot be used/,
    );
  }
  for (const words of [
    ["--s3-endpoint", "http://127.0.0.1:9000"],
    ["--s3-profile=p", "--s3-env-auth", "--oos-sse-customer-key-file=/x"],
    ["--http-proxy", "http://h:3128"],
    ["--client-key", "/k", "--ca-cert=/c", "--password-command", "pass show rclone"],
  ]) {
    expect(sortUserFlags(words).argv).toEqual(words);
  }
});

test("words for srun and sbatch, images and URLs", () => {
  const words: [string[], boolean][] = [
    [["--container-workdir=/x", "--export=ALL,HOME"], false],
    [["--export=ALL,AWS_SECRET_ACCESS_KEY=hunter2"], true],
    [["--export", "X=hunter2"], true],
    [["--comment=https://u:hunter2@h"], true],
  ];
  expect(words.map(([list]) => slurmWordsProblem(list) !== undefined)).toEqual(words.map(([, bad]) => bad));
  expect(words.map(([list]) => slurmWordsProblem(list) ?? "").join()).not.toContain(hunter);
  const images: [string, boolean][] = [
    ["/i.sqsh", false],
    ["docker://rclone/rclone:1.60", false],
    ["docker://user@registry#rclone/rclone", false],
    ["docker://user:hunter2@registry#rclone/rclone", true],
  ];
  expect(images.map(([image]) => imageProblem(image) !== undefined)).toEqual(images.map(([, bad]) => bad));
  expect(hasUrlSecret("s3://bucket/a@b")).toBe(false);
});

test("lines in which rclone tells the value of a variable", () => {
  const shown = [
    '2026/11/25 02:44:45 DEBUG : Setting --header "[X: hunter2]" from environment variable RCLONE_HEADER="X: hunter2"',
    '{"level":"debug","msg":"Setting secret_access_key=\\"hunter2\\" for \\"dst\\" from environment variable RCLONE_CONFIG_DST_SECRET_ACCESS_KEY","source":"x"}',
  ];
  expect(shown.filter((line) => !showsVariable(line))).toEqual([]);
  const other = '{"level":"info","msg":"Copied (new)","object":"Setting a from environment variable b"}';
  expect(showsVariable(other)).toBe(false);
});
