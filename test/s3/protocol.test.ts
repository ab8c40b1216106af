import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { send } from "./clients.ts";
import { S3Endpoint } from "./endpoint.ts";
import { compareUtf8, listPage } from "./listing.ts";
import { parseRequest } from "./request.ts";

test("a path is decoded once and never normalised", async () => {
  for (const [url, bucket, key] of [
    ["/b/a/../c//d", "b", "a/../c//d"],
    ["/b//lead", "b", "/lead"],
    ["/b/%2e%2e/%252F%2F?x=%26", "b", "../%2F/"],
    ["/b/a+b%2B%20", "b", "a+b+ "],
    ["/b/", "b", ""],
    ["/", "", ""],
  ] as const) {
    expect(parseRequest({ method: "GET", url, headers: {} })).toMatchObject({ bucket, key });
  }
  await using endpoint = await S3Endpoint.start({ buckets: ["bucket"] });
  const key = "a/../..//./%2F\u{1f600}";
  const path = "/bucket/a/../..//./%252F%F0%9F%98%80";
  expect(await send(endpoint, { method: "PUT", path, body: "odd" })).toMatchObject({ status: 200 });
  expect(endpoint.keys("bucket")).toEqual([key]);
  expect(await send(endpoint, { method: "GET", path })).toMatchObject({ status: 200, body: "odd" });
  const broken = await send(endpoint, { method: "GET", path: "/bucket/%ff" });
  expect([broken.status, broken.body.includes("<Code>InvalidURI</Code>")]).toEqual([400, true]);
});

test("keys are ordered by their UTF-8 bytes", () => {
  const keys = ["", "a", "a/", "a0", "ab", "\u007f", "\u00e9", "\uffee", "\u{1f600}", "\u{1f600}a", "z"];
  const byBytes = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  expect(keys.toSorted(compareUtf8)).toEqual(byBytes);
});

test("pages of every size, with and without delimiter, add up to the whole listing", () => {
  const keys = ["a", "b/", "b/1", "b/2/x", "b0", "c/1", "c/2", "d", "e/f/g", "e/f/h"].sort(compareUtf8);
  for (const [prefix, delimiter, wanted] of [
    ["", "", keys],
    ["", "/", ["a", "b/", "b0", "c/", "d", "e/"]],
    ["b/", "/", ["b/", "b/1", "b/2/"]],
    ["e", "/", ["e/"]],
    ["e/f/", "", ["e/f/g", "e/f/h"]],
    ["x", "/", []],
  ] as const) {
    for (let maxKeys = 1; maxKeys < 12; maxKeys++) {
      const seen: string[] = [];
      let after: string | null = "";
      while (after !== null) {
        const page = listPage(keys, { prefix, delimiter, after, maxKeys });
        seen.push(...page.keys, ...page.commonPrefixes);
        expect(page.keys.length + page.commonPrefixes.length).toBeLessThanOrEqual(maxKeys);
        after = page.next;
      }
      expect(seen.sort(compareUtf8)).toEqual([...wanted]);
    }
  }
  expect(listPage(keys, { prefix: "", delimiter: "", after: "", maxKeys: 0 })).toEqual({
    keys: [],
    commonPrefixes: [],
    next: null,
  });
});

test("ranges, conditions and metadata of a GET", async () => {
  await using endpoint = await S3Endpoint.start({ buckets: ["bucket"] });
  const path = "/bucket/key";
  const headers = { "x-amz-meta-colour": "blue  and green", "content-type": "text/x-test" };
  await send(endpoint, { method: "PUT", path, body: "0123456789", headers });
  const etag = `"${createHash("md5").update("0123456789").digest("hex")}"`;
  const whole = await send(endpoint, { method: "GET", path });
  expect(whole.head).toContain(`etag: ${etag}`);
  expect(whole.head).toContain("x-amz-meta-colour: blue  and green");
  expect(whole.head).toContain("content-type: text/x-test");
  for (const [range, status, body] of [
    ["bytes=2-4", 206, "234"],
    ["bytes=7-", 206, "789"],
    ["bytes=-2", 206, "89"],
    ["bytes=5-500", 206, "56789"],
    ["lines=1-2", 200, "0123456789"],
  ] as const) {
    expect(await send(endpoint, { method: "GET", path, headers: { range } })).toMatchObject({ status, body });
  }
  expect((await send(endpoint, { method: "GET", path, headers: { range: "bytes=10-" } })).status).toBe(416);
  expect((await send(endpoint, { method: "GET", path, headers: { "if-match": '"x"' } })).status).toBe(412);
  expect((await send(endpoint, { method: "HEAD", path, headers: { "if-none-match": etag } })).status).toBe(
    304,
  );
  const head = await send(endpoint, { method: "HEAD", path });
  expect([head.status, head.body, head.head.includes("content-length: 10")]).toEqual([200, "", true]);
  const missing = await send(endpoint, { method: "HEAD", path: "/bucket/none" });
  expect([missing.status, missing.body]).toEqual([404, ""]);
});

test("a body that is not what its headers say is not stored", async () => {
  await using endpoint = await S3Endpoint.start({ buckets: ["bucket"] });
  const path = "/bucket/key";
  const headers = { "content-md5": createHash("md5").update("right").digest("base64") };
  expect((await send(endpoint, { method: "PUT", path, headers, body: "wrong" })).body).toContain("BadDigest");
  expect(endpoint.keys("bucket")).toEqual([]);
  expect((await send(endpoint, { method: "PUT", path, headers, body: "right" })).status).toBe(200);
  const once = { "if-none-match": "*" };
  expect((await send(endpoint, { method: "PUT", path, headers: once, body: "again" })).status).toBe(412);
  expect(endpoint.head("bucket", "key")?.size).toBe(5);
});

test("aws-chunked framing is taken off, with and without trailers", async () => {
  await using endpoint = await S3Endpoint.start({ buckets: ["bucket"] });
  const path = "/bucket/framed";
  const headers = {
    "content-encoding": "aws-chunked,gzip",
    "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "x-amz-decoded-content-length": "26",
  };
  const signed = ";chunk-signature=00";
  const body = `10${signed}\r\n0123\r\n6789abcdef\r\na\r\nABCDEFGHIJ\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n`;
  expect(await send(endpoint, { method: "PUT", path, headers, body })).toMatchObject({ status: 200 });
  expect(Buffer.from((await endpoint.get("bucket", "framed")) ?? "").toString()).toBe(
    "0123\r\n6789abcdefABCDEFGHIJ",
  );
  expect((await send(endpoint, { method: "GET", path })).head).toContain("content-encoding: gzip");
  const cut = await send(endpoint, { method: "PUT", path: "/bucket/cut", headers, body: body.slice(0, 30) });
  expect(cut.body).toContain("IncompleteBody");
  expect(endpoint.keys("bucket")).toEqual(["framed"]);
});

test("many keys are deleted at once", async () => {
  await using endpoint = await S3Endpoint.start({ buckets: ["bucket"] });
  for (const key of ["a&b", "c\n", "keep"]) endpoint.put("bucket", key, "x");
  const body =
    "<Delete><Object><Key>a&amp;b</Key></Object><Object><Key>c&#10;</Key></Object><Object><Key>no</Key></Object></Delete>";
  const answer = await send(endpoint, { method: "POST", path: "/bucket", query: "delete=", body });
  expect(answer.body.match(/<Deleted>/g)?.length).toBe(3);
  expect(endpoint.keys("bucket")).toEqual(["keep"]);
  expect(endpoint.counts.DELETE).toBe(1);
});

test("an upload that is aborted leaves nothing, and its id is unknown from then on", async () => {
  await using endpoint = await S3Endpoint.start({ buckets: ["bucket"] });
  const path = "/bucket/key";
  const begun = await send(endpoint, { method: "POST", path, query: "uploads=" });
  const id = /<UploadId>(.*)<\/UploadId>/.exec(begun.body)?.[1] ?? "";
  const query = `partNumber=1&uploadId=${id}`;
  expect((await send(endpoint, { method: "PUT", path, query, body: "part" })).status).toBe(200);
  expect((await send(endpoint, { method: "GET", path: "/bucket", query: "uploads=" })).body).toContain(id);
  const wrong =
    "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>";
  const complete = await send(endpoint, { method: "POST", path, query: `uploadId=${id}`, body: wrong });
  expect(complete.body).toContain("InvalidPart");
  expect((await send(endpoint, { method: "DELETE", path, query: `uploadId=${id}` })).status).toBe(204);
  expect((await send(endpoint, { method: "PUT", path, query, body: "part" })).body).toContain("NoSuchUpload");
  expect(endpoint.keys("bucket")).toEqual([]);
});

test("bucket calls and what is not there", async () => {
  await using endpoint = await S3Endpoint.start({ buckets: ["bucket"], region: "eu-test-1" });
  for (const [method, path, query, status, text] of [
    ["GET", "/", "", 200, "<Name>bucket</Name>"],
    ["GET", "/bucket", "location=", 200, "eu-test-1"],
    ["GET", "/bucket", "versioning=", 200, "VersioningConfiguration"],
    ["HEAD", "/bucket", "", 200, ""],
    ["HEAD", "/none", "", 404, ""],
    ["PUT", "/bucket", "", 409, "BucketAlreadyOwnedByYou"],
    ["PUT", "/UPPER", "", 400, "InvalidBucketName"],
    ["GET", "/none", "list-type=2", 404, "NoSuchBucket"],
    ["PUT", "/none/key", "", 404, "NoSuchBucket"],
    ["GET", "/bucket/none", "", 404, "NoSuchKey"],
    ["DELETE", "/bucket/none", "", 204, ""],
    ["GET", "/bucket", "acl=", 501, "NotImplemented"],
    ["DELETE", "/bucket", "", 204, ""],
    ["GET", "/bucket", "", 404, "NoSuchBucket"],
  ] as const) {
    const answer = await send(endpoint, { method, path, query });
    expect([method, path, query, answer.status]).toEqual([method, path, query, status]);
    expect(answer.body).toContain(text);
  }
});
