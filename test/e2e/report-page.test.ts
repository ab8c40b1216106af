import { beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ensureChromium, Tab } from "../browser/chromium.ts";
import { makeRun } from "../lib/operate/report/made-run.ts";
import { temporaryDirectory, timeoutMs, xfer } from "../stage/harness.ts";

beforeAll(ensureChromium, timeoutMs);

const evil = [
  "</script><img src=//127.0.0.1:1/x onerror=alert(1)>",
  `"><script>alert(2)</script>`,
  "<style>@import url(//127.0.0.1:1/y)</style>",
  `a-${"very-long-name".repeat(40)}`,
];

/** A run of two nodes: one shard is done, another has failed. */
function makeReportedRun(dir: string): void {
  makeRun(dir, [
    {
      ...{ keys: ["well", "done"], end: "done", node: "node-with-a-rather-long-name-1.example.org" },
      ...{
        minutes: [1, 30],
        samples: Array.from({ length: 28 }, (_, i) => [i + 2, 1, i > 14 ? 1 : 0, i] as const),
      },
    },
    {
      ...{ keys: evil, end: "failed", node: "n2", minutes: [3, 9] },
      errors: evil.map((path) => ({ path, class: "auth", message: `no: ${path}` })),
    },
  ]);
}

/** How much of the first plot has the color of its line, and whether the page is wider than its window. */
const seen = `(() => {
  const canvas = document.querySelector("#plots canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const hex = getComputedStyle(document.documentElement).getPropertyValue("--blue").trim();
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  let line = 0;
  for (let i = 0; i < data.length; i += 4) {
    if (Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 30 && data[i + 3] > 200) line++;
  }
  return {
    line,
    plots: document.querySelectorAll("#plots canvas").length,
    plotWidth: canvas.getBoundingClientRect().width,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    background: getComputedStyle(document.body).backgroundColor,
    bars: [...document.querySelectorAll(".chart rect")].map((bar) => [bar.getAttribute("class"), bar.getBoundingClientRect().width > 1]),
  };
})()`;

interface Seen {
  line: number;
  plots: number;
  plotWidth: number;
  overflow: number;
  background: string;
  bars: [string, boolean][];
}

test(
  "a page in Chromium: plots and chart are drawn, light and dark, narrow and wide; nothing else is asked for",
  async () => {
    using dir = temporaryDirectory();
    makeReportedRun(join(dir.path, "run"));
    const words = ["report", "--run-dir", "run", "--format", "html", "--out", "r.html"];
    expect(await xfer(words, { cwd: dir.path })).toMatchObject({ code: 0, stdout: "" });
    const asked: string[] = [];
    using server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch({ url }) {
        asked.push(new URL(url).pathname);
        return new Response(readFileSync(join(dir.path, "r.html")), {
          headers: { "content-type": "text/html" },
        });
      },
    });
    const url = `http://127.0.0.1:${server.port}/report`;
    await using tab = await Tab.open();
    const backgrounds = new Set<string>();
    for (const scheme of ["light", "dark"] as const) {
      for (const width of [400, 1600]) {
        await tab.show(url, width, scheme);
        const found = await tab.evaluate<Seen>(seen);
        expect(found, `${scheme} ${width}`).toMatchObject({ plots: 3, overflow: 0 });
        expect(found.line).toBeGreaterThan(100);
        expect(found.plotWidth).toBeGreaterThan(width === 400 ? 300 : 1_200);
        expect(found.bars).toEqual([
          ["failed", true],
          ["done", true],
        ]);
        backgrounds.add(found.background);
      }
    }
    expect(backgrounds.size).toBe(2);
    const sorted = (column: number) =>
      tab.evaluate<string[]>(`(() => {
        document.querySelectorAll("#objects th button")[${column}].click();
        return [...document.querySelectorAll("#objects td.key")].map((cell) => cell.textContent);
      })()`);
    expect(await sorted(0)).toEqual(evil.toSorted((a, b) => a.localeCompare(b, "en", { numeric: true })));
    expect((await sorted(0)).toReversed()).toEqual(
      evil.toSorted((a, b) => a.localeCompare(b, "en", { numeric: true })),
    );
    // Once for each look at it; what is in the page itself is no request.
    expect(asked).toEqual(Array(4).fill("/report"));
    expect(tab.requests.filter((address) => !address.startsWith("data:"))).toEqual(Array(4).fill(url));
    expect(tab.complaints).toEqual([]);
  },
  timeoutMs,
);
