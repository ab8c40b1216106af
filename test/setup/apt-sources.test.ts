import { describe, expect, test } from "bun:test";
import { sourcesIn } from "./apt-sources.ts";
import { limitMs } from "./pace.ts";
import { rclones } from "./rclones.ts";

describe("apt's sources", () => {
  test("of a deb822 file: enabled ones of binary packages, one for each URI", () => {
    const text = `Types: deb deb-src
# a remark
URIs: http://one/debian http://two/debian
Suites: bookworm bookworm-updates
Components: main
 contrib
Signed-By: /usr/share/keyrings/k.gpg

Types: deb-src
URIs: http://three/debian
Suites: bookworm
Components: main

Types: deb
Enabled: no
URIs: http://four/debian
Suites: bookworm
Components: main

Types: deb
URIs: http://five/debian
Suites: bookworm
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
`;
    const first = { suites: ["bookworm", "bookworm-updates"], components: ["main", "contrib"] };
    expect(sourcesIn(text, "deb822")).toEqual([
      { uri: "http://one/debian", ...first, signedBy: "/usr/share/keyrings/k.gpg" },
      { uri: "http://two/debian", ...first, signedBy: "/usr/share/keyrings/k.gpg" },
      { uri: "http://five/debian", suites: ["bookworm"], components: ["main"], signedBy: undefined },
    ]);
  });

  test("of a one-line file", () => {
    const text = `# deb http://no/debian bookworm main
deb http://one/debian bookworm main contrib # and a remark
deb [arch=amd64 signed-by=/k.gpg] http://two/debian bookworm main
deb-src http://three/debian bookworm main
`;
    expect(sourcesIn(text, "one-line")).toEqual([
      {
        uri: "http://one/debian",
        suites: ["bookworm"],
        components: ["main", "contrib"],
        signedBy: undefined,
      },
      { uri: "http://two/debian", suites: ["bookworm"], components: ["main"], signedBy: "/k.gpg" },
    ]);
  });
});

test(
  "the tests have two rclones, and the current one is the newer",
  async () => {
    const [debian, current] = await rclones();
    const minor = (version = "") => Number(version.split(".")[1]);
    expect(minor(current?.version)).toBeGreaterThanOrEqual(75);
    expect(minor(current?.version)).toBeGreaterThanOrEqual(minor(debian?.version));
  },
  limitMs(180_000),
);
