import { renderRun } from "../../lib/launch/render.ts";
import { runHere } from "../../lib/launch/run-here.ts";
import { readUntransferable } from "../../lib/manifest/untransferable.ts";
import { type Account, emptyAccount } from "../../lib/run/account.ts";
import type { RunConfig } from "../../lib/run/config.ts";
import { readDeltaSame } from "../../lib/run/delta-totals.ts";
import { runLayout } from "../../lib/run/layout.ts";
import { type ExitCode, exitCodes } from "../../lib/system/errors.ts";
import { ownCommand } from "../../lib/system/process.ts";
import { formatObjects } from "../../lib/system/units.ts";
import { verifyAfterRun } from "../../lib/verify/after-run.ts";
import { version } from "../../package.json" with { type: "json" };
import { accountText, progressLine } from "../view/account.ts";
import type { LiveLine } from "../view/live-line.ts";
import { printJson, printText } from "../view/print.ts";
import { runVerificationText } from "../view/verification.ts";
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
  const { account, exitCode: copied } = config
    ? await copyHere(options, config, surroundings)
    : await withoutShards(options);
  const result = await verifyAfterRun({
    wanted: options.verifies,
    copied,
    verify: {
      runDir,
      checksum: "auto",
      downloadSample: 0,
      listParallel: options.listParallel,
      version,
      now: new Date(),
      stop,
      onProgress: (doing, objects) => live.update(`${doing}: ${formatObjects(objects)}`),
    },
  });
  live.clear();
  const { verified, verification, notVerified } = result;
  if (!json) await printText(runVerificationText(result, runDir));
  else await printJson({ ...account, run_dir: runDir, verified, not_verified: notVerified, verification });
  return result.exitCode === exitCodes.done && !(await isWhole(options)) ? exitCodes.failed : result.exitCode;
}

interface Copied {
  account: Account;
  exitCode: ExitCode;
}

async function copyHere(
  { runDir, json }: RunOptions,
  config: RunConfig,
  { live, stop }: Surroundings,
): Promise<Copied> {
  const result = await runHere({
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
  if (!json) await printText(accountText(result.account, runDir));
  return result;
}

/** Renders a run that has no shards as far as its verification needs it. */
async function withoutShards({ runDir, manifest, render }: RunOptions): Promise<Copied> {
  await renderRun({
    ...render,
    manifestPath: manifest,
    numShards: 1,
    sourceRoot: undefined,
    destRoot: undefined,
  });
  const same = readDeltaSame(runLayout(runDir), undefined);
  return { account: emptyAccount(await readUntransferable(manifest), same), exitCode: exitCodes.done };
}
