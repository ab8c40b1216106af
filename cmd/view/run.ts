/** What a comparison that finds nothing to copy says. */
export function nothingToCopyText(compare: string): string {
  return `nothing to copy: the destination holds every object, compared by ${compare}\n`;
}

/** What a run that is rendered and not submitted says. */
export function readyText(runDir: string): string {
  return `${runDir}: ready; submit with: xfer slurm submit --run-dir ${runDir}\n`;
}

/** What is left to do once the array of a run has ended. */
export function verifyLaterText(runDir: string): string {
  return `when the array has ended, compare the destination: xfer verify --run-dir ${runDir}`;
}
