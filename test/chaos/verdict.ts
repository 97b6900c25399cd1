import type { DocumentedWindow } from './windows.ts';

/** One thing that should not have happened. */
export interface Finding {
  readonly at: number;
  readonly what: string;
  /** The documented window that it fell into, if any. */
  readonly window?: string;
}

/** What a check says of one promise. */
export interface Verdict {
  readonly promise: string;
  /** How many cases were looked at: a promise that was never put to the test was not kept. */
  readonly looked: number;
  readonly violations: readonly Finding[];
  readonly inWindows: readonly Finding[];
}

export function verdict(promise: string, looked: number, findings: readonly Finding[]): Verdict {
  return {
    promise,
    looked,
    violations: findings.filter(({ window }) => window === undefined),
    inWindows: findings.filter(({ window }) => window !== undefined),
  };
}

/** A finding at that moment, in the first window that is open then, if there is one. */
export function finding(
  at: number,
  what: string,
  windows: readonly DocumentedWindow[],
  covers: (window: DocumentedWindow) => boolean = () => true,
): Finding {
  const open = windows.find((window) => window.from <= at && at <= window.to && covers(window));
  return open === undefined ? { at, what } : { at, what, window: open.why };
}
