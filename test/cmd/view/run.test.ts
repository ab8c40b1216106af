import { expect, test } from "bun:test";
import { nothingToCopyText, readyText, verifyLaterText } from "../../../cmd/view/run.ts";

test("a run on a cluster says what is left to do, as commands that work as they stand", () => {
  expect(nothingToCopyText("checksum")).toBe(
    "nothing to copy: the destination holds every object, compared by checksum\n",
  );
  expect(readyText("there/run")).toBe(
    "there/run: ready; submit with: xfer slurm submit --run-dir there/run\n",
  );
  expect(verifyLaterText("there/run")).toBe(
    "when the array has ended, compare the destination: xfer verify --run-dir there/run",
  );
});
