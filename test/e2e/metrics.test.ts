import { expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { promtoolSays } from "../setup/promtool.ts";
import { binary, kill, Stage, startXfer, timeoutMs, until } from "../stage/harness.ts";

/** The values of a text of metrics, by name and labels but for the run's id. promtool says whether it is one. */
function valuesIn(text: string): Record<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(
    lines.map((line) => {
      const [, name = "", labels = "", value = ""] = /^(\w+)\{run_id="[^"]*",?(.*)\} (\S+)$/.exec(line) ?? [];
      return [labels === "" ? name : `${name} ${labels}`, Number(value)];
    }),
  );
}

/** A listener on a port that is free, and what it has printed so far. */
function listener(stage: Stage) {
  const printed = join(stage.dir, "listener.out");
  const child = Bun.spawn([binary, "metrics", "--run-dir", stage.runDir, "--listen", "0"], {
    ...{ cwd: stage.dir, env: { PATH: "" }, stdin: "ignore", stdout: Bun.file(printed), stderr: "pipe" },
  });
  return { child, stdout: () => readFileSync(printed, "utf8") };
}

test(
  "metrics over HTTP while a run is under way, and at its end, are those of its account",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(40, 20_000);
    const broken = keys[30] ?? "";
    stage.source.inject({ kinds: ["GET"], match: ({ key }) => key === broken, action: "forbidden" });
    const release = stage.source.inject({ kinds: ["GET"], action: { delayMs: 1_500 } });
    const rendered = await stage.xfer(
      ...stage.runArgs("--num-shards", "4", "--executor", "slurm", "--runtime", "host"),
    );
    expect(rendered.code, rendered.stderr).toBe(0);
    const words = [
      "--num-shards",
      "4",
      "--array-concurrency",
      "2",
      "--rclone-flags",
      "--transfers 2 --retries 1",
    ];
    const run = startXfer(stage.runArgs(...words, "--json"), { cwd: stage.dir });
    const server = listener(stage);
    const [url = ""] = await until("the address", () => /http:\S+/.exec(server.stdout()) ?? undefined);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
    const scrape = async () => {
      const response = await fetch(url);
      expect([response.status, response.headers.get("content-type")]).toEqual([
        200,
        "text/plain; version=0.0.4; charset=utf-8",
      ]);
      return response.text();
    };
    const under = await until("something copied", async () => {
      const values = valuesIn(await scrape());
      return (values.xfer_copied_objects_total ?? 0) > 0 ? values : undefined;
    });
    expect(await promtoolSays(await scrape())).toBe("");
    expect(await promtoolSays("# HELP a b\n# TYPE a counter\na 1\n")).toContain("_total");
    expect(under).toMatchObject({ xfer_listed_objects: 40, 'xfer_shards state="running"': 2 });
    expect(under['xfer_shards state="waiting"']).toBe(2);
    expect(under.xfer_heartbeat_age_seconds).toBeLessThan(30);
    // Whoever asks soon after is answered from memory.
    expect((await Promise.all([scrape(), scrape(), scrape()])).every((text, _, all) => text === all[0])).toBe(
      true,
    );
    const origin = url.replace("/metrics", "");
    const statusOf = async (path: string, method = "GET") =>
      (await fetch(`${origin}${path}`, { method })).status;
    expect([
      await statusOf("/"),
      await statusOf("/metrics", "POST"),
      await statusOf("/metrics", "HEAD"),
    ]).toEqual([404, 405, 200]);
    // Nobody on the network reaches it.
    const outside = Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .find(({ internal, family }) => !internal && family === "IPv4");
    if (outside) {
      const refused = await fetch(url.replace("127.0.0.1", outside.address)).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(Error);
    }
    release();
    const { code, stdout } = await run.result;
    expect(code).toBe(1);
    const account = JSON.parse(stdout);
    const once = await stage.xfer("metrics", "--run-dir", stage.runDir);
    expect([once.code, once.stderr], once.stderr).toEqual([0, ""]);
    expect(await promtoolSays(once.stdout)).toBe("");
    const ended = valuesIn(once.stdout);
    expect(ended).toMatchObject({
      ...{ xfer_listed_objects: account.listed.objects, xfer_listed_bytes: account.listed.bytes },
      ...{ xfer_copied_objects_total: account.copied.objects, xfer_copied_bytes_total: account.copied.bytes },
      ...{
        xfer_unfinished_objects: 0,
        xfer_failed_bytes: account.failed.bytes,
        'xfer_failed_objects class="auth"': 1,
      },
      ...{ 'xfer_shards state="done"': 3, 'xfer_shards state="failed"': 1, 'xfer_shards state="running"': 0 },
      ...{ xfer_in_flight_bytes: 0, xfer_attempts_total: 4, xfer_unreadable_state_files: 0 },
    });
    expect(account.copied.objects).toBe(39);
    await until(
      "the server to tell the same",
      async () => valuesIn(await scrape())['xfer_shards state="failed"'] === 1,
    );
    server.child.kill("SIGTERM");
    expect(await server.child.exited).toBe(75);
    expect(await server.child.stderr.text()).toBe("xfer: stopped by SIGTERM: run the same command again\n");
  },
  timeoutMs,
);

test(
  "a textfile is written whole, once or again and again; a port that is taken and a run that is none are told",
  async () => {
    await using stage = await Stage.start();
    stage.fill(3, 100);
    expect((await stage.xfer(...stage.runArgs("--num-shards", "1"))).code).toBe(0);
    const metrics = ["metrics", "--run-dir", stage.runDir];
    const file = join(stage.dir, "xfer.prom");
    writeFileSync(file, "old");
    expect(await stage.xfer(...metrics, "--textfile", file)).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(await promtoolSays(readFileSync(file, "utf8"))).toBe("");
    const first = statSync(file).ino;
    const again = startXfer([...metrics, "--textfile", file, "--every", "1"], { cwd: stage.dir });
    const inodes = new Set<number>();
    await until("three files", () => inodes.add(statSync(file).ino).size > 2);
    expect(inodes.has(first) || first > 0).toBe(true);
    expect(readFileSync(file, "utf8")).toEndWith("\n");
    kill(again.pid, "SIGINT");
    expect((await again.result).code).toBe(130);

    const taken = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
    const { port } = taken;
    const refused = await stage.xfer(...metrics, "--listen", String(port));
    await taken.stop(true);
    expect(refused).toEqual({
      ...{ code: 1, stdout: "" },
      stderr: `xfer: --listen 127.0.0.1:${port}: the port is in use: choose another, or 0\n`,
    });
    const none = await stage.xfer("metrics", "--run-dir", join(stage.dir, "nothing"));
    expect([none.code, none.stdout]).toEqual([2, ""]);
    expect(none.stderr).toMatch(/^xfer: .*nothing.*\n$/);
  },
  timeoutMs,
);
