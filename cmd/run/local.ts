import { renderRun } from "../../lib/launch/render.ts";
import { type RunEnd, runHere } from "../../lib/launch/run-here.ts";
import { readUntransferable } from "../../lib/manifest/untransferable.ts";
import { emptyAccount } from "../../lib/run/account.ts";
import type { RunConfig } from "../../lib/run/config.ts";
import { readDeltaSame } from "../../lib/run/delta-totals.ts";
import { runLayout } from "../../lib/run/layout.ts";
import { type ExitCode, exitCodes } from "../../lib/system/errors.ts";
import { ownCommand } from "../../lib/system/process.ts";
import { progressLine } from "../view/account.ts";
import { endRun, type Surroundings, sayCopied } from "./end.ts";
import type { RunOptions } from "./options.ts";

/**
 * Runs the agents here, compares the destination with the manifest, and says how it went. Without a configuration there is
 * nothing to copy.
 */
export async function runLocal(
  options: RunOptions,
  config: RunConfig | undefined,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const end = config ? await copyHere(options, config, surroundings) : await withoutShards(options);
  return await endRun(options, end, surroundings);
}

async function copyHere(
  options: RunOptions,
  config: RunConfig,
  { live, stop }: Surroundings,
): Promise<RunEnd> {
  const end = await runHere({
    runDir: options.runDir,
    concurrency: config.array_concurrency,
    command: ownCommand(),
    submission: `local:${new Date().toISOString()}`,
    stop,
    onProgress: (progress) => {
      const { parts, news } = progressLine(progress, Date.now());
      live.update(parts, { news });
    },
  });
  live.clear();
  await sayCopied(options, end);
  return end;
}

/** Renders a run that has no shards as far as its verification needs it. */
async function withoutShards({ runDir, manifest, render }: RunOptions): Promise<RunEnd> {
  await renderRun({
    ...render,
    manifestPath: manifest,
    numShards: 1,
    sourceRoot: undefined,
    destRoot: undefined,
  });
  const same = readDeltaSame(runLayout(runDir), undefined);
  const account = emptyAccount(await readUntransferable(manifest), same);
  return { account, failedShards: 0, causes: [], exitCode: exitCodes.done };
}
