import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installSkills, type Outcome, outcomeOf } from "../../../lib/skills/install.ts";
import { stamped } from "../../../lib/skills/stamp.ts";

const skill = (name: string, text: string) => ({ name, description: "what it is for", text });
const skills = [skill("one", "# One\n"), skill("two", "# Two\n")];

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "xfer-skills-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const pathOf = (name: string) => join(dir, "skills", name, "SKILL.md");
const textOf = (name: string) => readFileSync(pathOf(name), "utf8");

/** What is done with each of the two files. */
function install({ force = false, version = "1.2.3", of = skills } = {}): Outcome[] {
  return installSkills({ skills: of, folder: join(dir, "skills"), version, force }).map(
    ({ outcome }) => outcome,
  );
}

test.each<[Parameters<typeof outcomeOf>[0], Outcome, Outcome]>([
  ["absent", "written", "written"],
  ["same", "same", "same"],
  ["other-version", "updated", "updated"],
  ["changed", "kept", "replaced"],
])("a file that is %s: %s; with force: %s", (standing, without, forced) => {
  expect([outcomeOf(standing, false), outcomeOf(standing, true)]).toEqual([without, forced]);
});

describe("on the disk", () => {
  test("a first installation makes the folders and writes each file whole", () => {
    expect(install()).toEqual(["written", "written"]);
    expect(textOf("one")).toBe(stamped("# One\n", "1.2.3"));
    expect(textOf("two")).toBe(stamped("# Two\n", "1.2.3"));
    expect(readdirSync(join(dir, "skills", "one"))).toEqual(["SKILL.md"]);
  });

  test("a second one writes nothing, of another version either where the text is the same", () => {
    install();
    expect(install({ version: "1.3.0" })).toEqual(["same", "same"]);
    expect(textOf("one")).toInclude("xfer 1.2.3");
  });

  test("a later version brings up to date what nobody has changed, and keeps the rest", () => {
    install();
    writeFileSync(pathOf("two"), textOf("two").replace("# Two", "# Mine"));
    const later = [skill("one", "# One, better\n"), skill("two", "# Two, better\n")];
    expect(install({ version: "2.0.0", of: later })).toEqual(["updated", "kept"]);
    expect(textOf("one")).toBe(stamped("# One, better\n", "2.0.0"));
    expect(textOf("two")).toStartWith("# Mine\n");
  });

  test("force replaces what was changed, and is remembered as installed", () => {
    mkdirSync(join(dir, "skills", "one"), { recursive: true });
    writeFileSync(pathOf("one"), "mine\n");
    expect(install()).toEqual(["kept", "written"]);
    expect(textOf("one")).toBe("mine\n");
    expect(install({ force: true })).toEqual(["replaced", "same"]);
    expect(textOf("one")).toBe(stamped("# One\n", "1.2.3"));
  });

  test("other skills in the folder are left alone", () => {
    mkdirSync(join(dir, "skills", "own"), { recursive: true });
    writeFileSync(pathOf("own"), "own\n");
    install({ force: true });
    expect(textOf("own")).toBe("own\n");
  });

  test("what cannot be read is told before anything is written", () => {
    mkdirSync(pathOf("two"), { recursive: true });
    expect(() => install({ force: true })).toThrow(`${pathOf("two")}: is a folder: a file is wanted`);
    expect(readdirSync(join(dir, "skills"))).toEqual(["two"]);
  });

  test("a folder that is a file is told", () => {
    writeFileSync(join(dir, "skills"), "");
    expect(() => install()).toThrow(`${pathOf("one")}: no such file: a part of its path is no folder`);
  });
});
