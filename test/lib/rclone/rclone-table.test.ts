import { expect, test } from "bun:test";
import { flagKind, isOpenOption, longName } from "../../../lib/rclone/flag-table.ts";
import table from "../../../lib/rclone/rclone-table.json" with { type: "json" };
import { factsOf, tableOf } from "../../setup/rclone-table.ts";

const installed = factsOf("rclone");

test("every flag of the installed rclone is in the table, with what follows it", () => {
  for (const command of ["copy", "lsjson"] as const) {
    for (const { booleans, values, shorts } of [installed.global, installed[command]]) {
      const kinds = [...booleans.map((name) => [name, "boolean"]), ...values.map((name) => [name, "value"])];
      expect(kinds.map(([name = ""]) => [name, flagKind(command, name)])).toEqual(kinds);
      for (const [letter, name] of Object.entries(shorts)) expect(longName(command, letter)).toBe(name);
    }
  }
  const known = installed.backends.flatMap(({ name, options }) =>
    options.filter((option) => isOpenOption(name, option.name)),
  );
  expect(known.length).toBeGreaterThan(300);
  expect(known.map(({ flag }) => [flag, flagKind("copy", flag)])).toEqual(
    known.map(({ flag, boolean }) => [flag, boolean ? "boolean" : "value"]),
  );
});

test("nothing that the installed rclone marks as a password or as sensitive is open", () => {
  const marked = installed.backends.flatMap(({ name, options }) =>
    options.filter(({ secret }) => secret).map((option) => [name, option.name] as const),
  );
  expect(marked.length).toBeGreaterThan(15);
  expect(marked.filter(([backend, option]) => isOpenOption(backend, option))).toEqual([]);
  expect(marked.filter(([, option]) => isOpenOption(undefined, option))).toEqual([]);
});

test("the table is made of names alone, and of the newest rclone's marks", () => {
  const made = tableOf([installed]);
  // An rclone that says of no option whether it is sensitive opens none.
  const says = installed.backends.some(({ options }) => options.some(({ secret }) => secret === false));
  expect(Object.values(made.backends).some(({ open }) => open !== "")).toBe(says);
  expect(JSON.stringify(Object.values(table.backends).map(({ open }) => open))).toMatch(/^[\w ",[\]]*$/);
  expect(table.backends.s3.open.split(" ")).toContain("endpoint");
});

test("options that rclone marks as no secret, and that may hold one, are not open; those that only look alike are", () => {
  const closed: [string, string][] = [
    ["s3", "sse_customer_key"],
    ["s3", "sse_customer_key_base64"],
    ["s3", "sse_customer_key_md5"],
    ["s3", "ibm_api_key"],
    ["http", "headers"],
    ["webdav", "headers"],
    ["mega", "2fa"],
  ];
  expect(closed.filter(([backend, option]) => isOpenOption(backend, option))).toEqual([]);
  const open: [string, string][] = [
    ["s3", "sse_customer_algorithm"],
    ["s3", "endpoint"],
    ["s3", "Chunk-Size"],
  ];
  expect(open.filter(([backend, option]) => !isOpenOption(backend, option))).toEqual([]);
});
