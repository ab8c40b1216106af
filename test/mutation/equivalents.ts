/** A mutant that no test can tell from the program, or that tests of another kind hold. */
interface Equivalent {
  file: string;
  /** The line as it is and as the mutant has it, as the mutation run prints them. */
  from: string;
  to: string;
  why: string;
}

/** Mutants that may survive. */
export const equivalents: readonly Equivalent[] = [];
