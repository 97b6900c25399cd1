/** One known way to break the implementation, and the tests that must notice. */
export interface Mutant {
  /** What is broken, in a few words. */
  readonly name: string;
  /** The rule that it breaks: a guarantee, a rule for scripts, or one of the load-bearing ones. */
  readonly breaks: string;
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly from: string;
  readonly to: string;
  /** Test files, at least one of which must fail. */
  readonly caughtBy: readonly string[];
}
