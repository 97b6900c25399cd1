/**
 * Decides from a history alone whether each promise was kept. Knows the documents, not the implementation: what is
 * relied on, when it may fail (windows.ts), and how long things may take (settings.ts).
 */
import { checkNoOvertaking, checkTokenOrder } from './checks/fifo.ts';
import { checkKeys, checkNoStrays } from './checks/hygiene.ts';
import { checkNothingLingers } from './checks/lingering.ts';
import { checkAllReturns, checkServed } from './checks/liveness.ts';
import { checkNoRevival, checkReleases } from './checks/losses.ts';
import { checkOverIssue, checkServerCount, checkToldInTime } from './checks/over-issue.ts';
import { checkRestorations } from './checks/restoration.ts';
import { checkStore } from './checks/store.ts';
import { checkTokens } from './checks/tokens.ts';
import { type Figures, figuresOf } from './figures.ts';
import type { History } from './history.ts';
import { buildTimeline } from './timeline.ts';
import type { Verdict } from './verdict.ts';
import { documentedWindows } from './windows.ts';

export interface Judgement {
  readonly verdicts: readonly Verdict[];
  readonly figures: Figures;
}

export function judge(history: History): Judgement {
  const timeline = buildTimeline(history);
  const windows = documentedWindows(timeline);
  const verdicts = [
    checkOverIssue(timeline, windows),
    checkServerCount(timeline),
    checkStore(timeline, windows),
    checkNoOvertaking(timeline, windows),
    checkTokenOrder(timeline, windows),
    checkTokens(timeline),
    checkToldInTime(timeline, windows),
    checkNoRevival(timeline),
    checkReleases(timeline),
    checkNothingLingers(timeline),
    checkRestorations(timeline),
    checkServed(timeline),
    checkAllReturns(timeline),
    checkNoStrays(timeline),
    checkKeys(timeline),
  ];
  return { verdicts, figures: figuresOf(timeline) };
}

export function violationsOf({ verdicts }: Judgement): number {
  return verdicts.reduce((sum, { violations }) => sum + violations.length, 0);
}
