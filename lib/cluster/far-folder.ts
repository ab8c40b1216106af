import { operationFailed } from "../system/errors.ts";
import type { FarEnd } from "./far-end.ts";
import { farWord } from "./probe.ts";

/** The absolute path of a profile's folder at the far end, which is made if it is not there. */
export async function farFolder(end: FarEnd, path: string): Promise<string> {
  const word = farWord(path);
  const { code, stdout, stderr } = await end.run(`mkdir -p ${word} && cd ${word} && pwd -P`);
  const folder = stdout.replace(/\n$/, "");
  if (code === 0 && folder.startsWith("/")) return folder;
  const said = stderr.trim().split("\n").at(-1) ?? "";
  throw operationFailed(`${end.host}:${path}: cannot be used as the run root: ${said} (xfer cluster edit)`);
}
