import type { Finding } from "../../lib/launch/finding.ts";
import type { DoctorTarget } from "../../lib/operate/doctor-target.ts";
import { formatCount } from "../../lib/system/units.ts";
import { isColored } from "../cli/colors.ts";

const colors: Readonly<Record<Finding["state"], string>> = {
  ok: "\x1b[32m",
  warning: "\x1b[33m",
  failure: "\x1b[31m",
  skipped: "\x1b[2m",
};

/** A text as a terminal may show it: what programs and servers said may hold anything. */
const plain = (text: string): string => text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, " ");

/** The findings, a line each with what to do about it below, and a line that adds them up. */
export function doctorText(findings: readonly Finding[], color: string | undefined): string {
  const colored = isColored(color, process.stdout, process.env);
  const width = Math.max(0, ...findings.map(({ check }) => check.length));
  const indent = " ".repeat("failure".length + 2 + width + 2);
  const lines = findings.flatMap(({ check, state, text, mend }) => {
    const word = colored ? `${colors[state]}${state.padEnd(7)}\x1b[0m` : state.padEnd(7);
    const line = `${word}  ${check.padEnd(width)}  ${plain(text)}`;
    return mend === undefined ? [line] : [line, `${indent}${plain(mend)}`];
  });
  return [...lines, sumOf(findings), ""].join("\n");
}

function sumOf(findings: readonly Finding[]): string {
  const count = (state: Finding["state"]) => findings.filter((one) => one.state === state).length;
  const words = (n: number, one: string) => `${formatCount(n)} ${one}${n === 1 ? "" : "s"}`;
  const skipped = count("skipped") === 0 ? "" : `, ${formatCount(count("skipped"))} not looked at`;
  return `${words(count("failure"), "failure")}, ${words(count("warning"), "warning")}${skipped}`;
}

/** The same, schema xfer.doctor.v1. */
export function doctorJson({ runDir, executor, reach }: DoctorTarget, findings: readonly Finding[]) {
  const count = (state: Finding["state"]) => findings.filter((one) => one.state === state).length;
  return {
    ...{ schema: "xfer.doctor.v1", run_dir: runDir ?? null, executor, runtime: reach.runtime },
    ...{ failures: count("failure"), warnings: count("warning") },
    checks: findings.map(({ check, state, text, mend }) => ({ check, state, text, mend: mend ?? null })),
  } as const;
}
