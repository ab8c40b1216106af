import { afterAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { probeClusters } from "../../../lib/cluster/probe-clusters.ts";
import type { Profile } from "../../../lib/cluster/profile.ts";

const dir = mkdtempSync(join(tmpdir(), "xfer-probe-"));
afterAll(() => {
  rmSync(dir, { recursive: true });
  delete process.env.XFER_SSH;
  delete process.env.XFER_TEST_DIR;
});

/** A program in place of ssh: it notes each connection, knows no host called "gone", and runs what it is given here. */
const ssh = `#!/bin/sh
case " $* " in
  *" -G "*) echo "controlpath none"; exit 0;;
  *" -O check "*) exit 255;;
esac
for host in "$@"; do [ "$host" = -- ] && isNext=1 || { [ -n "$isNext" ] && break; }; done
case " $* " in
  *" -fN "*)
    if [ "$host" = gone ]; then echo 'ssh: Could not resolve hostname gone: Name or service not known' >&2; exit 255; fi
    echo "$host" >> "$XFER_TEST_DIR/opened"; exit 0;;
esac
for command in "$@"; do :; done
exec sh -c "$command"
`;

test("clusters are asked side by side over one connection a host; one that cannot be reached is the last", async () => {
  mkdirSync(join(dir, "root"));
  writeFileSync(join(dir, "ssh"), ssh);
  chmodSync(join(dir, "ssh"), 0o755);
  process.env.XFER_SSH = join(dir, "ssh");
  process.env.XFER_TEST_DIR = dir;
  const profile = (name: string, host: string): Profile => ({
    ...{ schema: "xfer.cluster.v1", name, host, run_root: join(dir, "root"), mounts: [] },
  });
  const profiles = [
    profile("one", "far"),
    profile("none", "gone"),
    profile("two", "far"),
    profile("here", "local"),
  ];
  const stop = new AbortController().signal;
  const probed = await probeClusters(profiles, { asks: false, throughSrun: false, stop });
  expect(probed.map((one) => [one.profile.name, "facts" in one ? one.facts.runRoot : one.problem])).toEqual([
    ["one", "writable"],
    ["two", "writable"],
    ["here", "writable"],
    ["none", "no host is called gone: look at the profile and at ~/.ssh/config"],
  ]);
  expect(readFileSync(join(dir, "opened"), "utf8")).toBe("far\n");
  expect(readdirSync(join(dir, "root"))).toEqual([]);
});
