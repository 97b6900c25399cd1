/** One known way to break the implementation, and the tests that must notice. */
export interface Mutant {
  /** What is broken, in a few words. */
  readonly name: string;
  /** The rule that it breaks: a guarantee, a rule for scripts, or one of the load-bearing ones. */
  readonly breaks: string;
  readonly file: string;
  /** Stands in the file exactly once; as short as that allows, so that it is easily adapted. */
  readonly from: string;
  readonly to: string;
  /**
   * Suites, each of which must notice by itself: a file or folder in `test/`, such as `lua/acquire`. Where that takes long,
   * what the names of its tests contain may follow: `conformance > head cancelled`.
   */
  readonly caughtBy: readonly string[];
}

type Way = Pick<Mutant, 'name' | 'breaks' | 'from' | 'to'> & Partial<Pick<Mutant, 'caughtBy'>>;

/** Ways to break one file; where nothing else is said, that suite has to notice. */
export function mutantsOf(file: string, suite: string, ways: readonly Way[]): readonly Mutant[] {
  return ways.map((way) => ({ file, caughtBy: [suite], ...way }));
}

/** A suite as vitest is told of it. */
export function readSuite(suite: string): { readonly path: string; readonly titles: string | undefined } {
  const [path = '', titles] = suite.split(' > ');
  return { path: `test/${path}`, titles };
}
