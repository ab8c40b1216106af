import { expect, test } from "bun:test";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { state, temporaryDirectory, timeoutMs, xfer } from "../stage/harness.ts";

/** Its password is "example", and it names a remote "here" of type local. */
const encrypted = join(import.meta.dir, "..", "data", "rclone.encrypted.conf");

test(
  "an encrypted rclone.conf: nothing is begun without its password, and all is done with it",
  async () => {
    using temp = temporaryDirectory();
    const dir = temp.path;
    const conf = join(dir, "rclone.conf");
    copyFileSync(encrypted, conf);
    chmodSync(conf, 0o600);
    mkdirSync(join(dir, "in"));
    writeFileSync(join(dir, "in", "file"), "content");
    const roots = ["--source", `here:${join(dir, "in")}`, "--dest", `here:${join(dir, "out")}`];
    const run = (env: Record<string, string>, ...more: string[]) => {
      const words = ["--rclone-config", conf, "--runtime", "host", "--num-shards", "1"];
      return xfer(["run", ...roots, ...words, "--run-dir", "run", ...more], { cwd: dir, env });
    };
    const local = ["--executor", "local"];
    const without = await run({}, ...local);
    expect(without).toMatchObject({ code: 2, stdout: "" });
    expect(without.stderr).toStartWith(
      `xfer: ${conf} is encrypted and nobody is asked for its password: set `,
    );
    expect(without.stderr.trimEnd().split("\n")).toHaveLength(1);
    expect([existsSync(join(dir, "run")), existsSync(join(dir, "xfer-err"))]).toEqual([false, false]);
    const wrong = await run({ RCLONE_CONFIG_PASS: "wrong" }, ...local);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain("unable to decrypt configuration");
    expect(wrong.stderr).not.toContain("wrong password\n");
    // An array's tasks get no variable of the submitter's: that is said when it is rendered, and refused at submit.
    const password = { RCLONE_CONFIG_PASS: "example" };
    const rendered = await run(password);
    expect(rendered.code, rendered.stderr).toBe(0);
    expect(rendered.stderr).toContain(
      `${conf} is encrypted, and the array's tasks would not have its password`,
    );
    const submitted = await xfer(["slurm", "submit", "--run-dir", "run"], { cwd: dir, env: password });
    expect(submitted).toMatchObject({ code: 2, stdout: "" });
    expect(submitted.stderr).toContain("nothing was submitted");
    // A task that is started all the same ends at once, for good.
    const agent = await xfer(["agent", "--run-dir", "run", "--shard", "0"], { cwd: dir });
    expect(agent.code, agent.stderr).toBe(1);
    expect(state(join(dir, "run"), 0, "fail")).toMatchObject({ class: "config", final: true });
    const whole = await run(password, ...local);
    expect(whole.code, whole.stderr).toBe(0);
    expect(readFileSync(join(dir, "out", "file"), "utf8")).toBe("content");
    const verified = await xfer(["verify", "--run-dir", "run"], { cwd: dir });
    expect(verified).toMatchObject({ code: 2, stdout: "" });
    expect(verified.stderr).toContain("is encrypted");
  },
  timeoutMs,
);
