import { operationFailed } from "../system/errors.ts";
import type { FarEnd } from "./far-end.ts";
import { farWord } from "./probe.ts";

/** Where a profile's commands work at the far end; both paths are absolute. */
export interface FarFolders {
  runRoot: string;
  home: string;
}

/** The run root of a profile at the far end, which is made if it is not there, and the user's home. */
export async function farFolders(end: FarEnd, path: string): Promise<FarFolders> {
  const word = farWord(path);
  const { code, stdout, stderr } = await end.run(
    `mkdir -p ${word} && cd ${word} && printf '%s\\0%s' "$(pwd -P)" "$HOME"`,
  );
  const [runRoot = "", home = ""] = stdout.split("\0");
  if (code === 0 && runRoot.startsWith("/")) return { runRoot, home };
  const said = stderr.trim().split("\n").at(-1) ?? "";
  throw operationFailed(`${end.host}:${path}: cannot be used as the run root: ${said} (xfer cluster edit)`);
}
