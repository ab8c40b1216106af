import { renderRun } from "../../lib/launch/render.ts";
import { type RunEnd, runHere } from "../../lib/launch/run-here.ts";
import { readUntransferable } from "../../lib/manifest/untransferable.ts";
import { emptyAccount } from "../../lib/run/account.ts";
import type { RunConfig } from "../../lib/run/config.ts";
import { readDeltaSame } from "../../lib/run/delta-totals.ts";
import { runLayout } from "../../lib/run/layout.ts";
import { type ExitCode, exitCodes } from "../../lib/system/errors.ts";
import { log } from "../../lib/system/log.ts";
import { ownCommand } from "../../lib/system/process.ts";
import { verifyAfterRun } from "../../lib/verify/after-run.ts";
import { version } from "../../package.json" with { type: "json" };
import { accountText, failedText, progressLine } from "../view/account.ts";
import { causeMessages } from "../view/causes.ts";
import { doingText } from "../view/doing.ts";
import type { LiveLine } from "../view/live-line.ts";
import { printJson, printText } from "../view/print.ts";
import { runJson, runVerificationText } from "../view/verification.ts";
import type { RunOptions } from "./options.ts";
import { isWhole } from "./whole.ts";

/** Where progress is shown, and what ends the run early. */
interface Surroundings {
  live: LiveLine;
  stop: AbortSignal;
}

/**
 * Runs the agents here, compares the destination with the manifest, and says how it went. Without a configuration there is
 * nothing to copy.
 */
export async function runLocal(
  options: RunOptions,
  config: RunConfig | undefined,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { runDir, json } = options;
  const { live, stop } = surroundings;
  const end = config ? await copyHere(options, config, surroundings) : await withoutShards(options);
  const result = await verifyAfterRun({
    wanted: options.verifies,
    copied: end.exitCode,
    verify: {
      runDir,
      checksum: "auto",
      downloadSample: 0,
      listParallel: options.listParallel,
      version,
      now: new Date(),
      stop,
      onProgress: (doing, objects) => live.update(doingText(doing, objects)),
    },
  });
  live.clear();
  if (!json) await printText(runVerificationText(result, runDir));
  else await printJson(runJson({ ...end, runDir, end: result }));
  return result.exitCode === exitCodes.done && !(await isWhole(options)) ? exitCodes.failed : result.exitCode;
}

async function copyHere(
  { runDir, json }: RunOptions,
  config: RunConfig,
  { live, stop }: Surroundings,
): Promise<RunEnd> {
  const end = await runHere({
    runDir,
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
  const { account, causes, failedShards } = end;
  const failed = failedText(account, failedShards);
  if (failed !== undefined) log.error(failed);
  // The account names the reasons; beside JSON, which no person reads, stderr does.
  if (!json) await printText(accountText(account, runDir, causes));
  else for (const message of causeMessages(causes, runDir)) log.error(message);
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
