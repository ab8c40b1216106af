/** What one look at a cluster, a machine or a run has found. */
export interface Finding {
  /** The name of the check, by which scripts know it. */
  check: string;
  /** A failure keeps a run from working; what is skipped was not looked at, and its text says why. */
  state: "ok" | "warning" | "failure" | "skipped";
  /** One line. */
  text: string;
  /** What to do about it. */
  mend?: string;
}

/** A check that found nothing wrong. */
export const ok = (check: string, text: string): Finding => ({ check, state: "ok", text });

/** A check that could not, or need not, be made, and why. */
export const skipped = (check: string, text: string): Finding => ({ check, state: "skipped", text });

export const warning = (check: string, text: string, mend: string): Finding => ({
  ...{ check, state: "warning", text, mend },
});

export const failure = (check: string, text: string, mend: string): Finding => ({
  ...{ check, state: "failure", text, mend },
});
