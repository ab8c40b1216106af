/** What is the same in all commands, beside their flags. */

/** Exit codes, and what they mean. */
export const exitStatus: readonly (readonly [string, string])[] = [
  ["0", "done"],
  ["1", "failed, or something is unaccounted for"],
  ["2", "wrong usage or invalid input: nothing was done"],
  ["75", "stopped early: the same command goes on where it was"],
  ["130", "interrupted from the keyboard"],
];

/** Variables of the environment that count in every command. */
export const environment: readonly (readonly [string, string])[] = [
  ["NO_COLOR", "when it is set, output is not in color unless --color says so"],
  ["XFER_CLUSTER", "the cluster of commands with --cluster that does not say one"],
  ["XFER_SSH", "the words that start ssh, with its options"],
  ["XFER_DEBUG", "when it is set, an error shows where in xfer it came from"],
];
