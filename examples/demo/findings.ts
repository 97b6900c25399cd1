/** What the figures say, in sentences, and whether it is as promised. */
import type { Comeback, Figures, Keys, Order } from './report.ts';

/** One thing that the run has shown. */
export interface Finding {
  readonly title: string;
  readonly text: string;
  /** Whether it is as promised; `undefined` for what is only told. */
  readonly ok: boolean | undefined;
}

/** What the figures say, in sentences. The demo has passed if no finding has `ok: false`. */
export function findingsOf(figures: Figures): Finding[] {
  const { plan, api, answered, cutOff, failures, order, tookMs, idealMs, comeback, keys } = figures;
  const { requests, limit, serviceMs, leaseMs } = plan;
  return [
    {
      title: 'peak',
      text: `${api.peak} at once, as the API itself counted; the limit is ${limit}`,
      ok: api.peak <= limit,
    },
    { title: 'order', ...orderFinding(order) },
    {
      title: 'served',
      text:
        `${answered} of ${requests} answered; the API served ${api.served}` +
        (cutOff > 0 ? `: ${cutOff} for the killed worker, asked again by another` : '') +
        (failures.length > 0 ? `; ${failures.length} failed and came again: ${failures.join('; ')}` : ''),
      ok: answered === requests,
    },
    {
      title: 'used',
      text:
        answered === 0
          ? 'nothing'
          : `utilisation ${Math.round((idealMs / tookMs) * 100)} %: the ideal is ${requests} × ${serviceMs} ms / ${limit} = ` +
            `${seconds(idealMs)}, it took ${seconds(tookMs)}, the dead worker's leases included`,
      ok: undefined,
    },
    { title: 'killed', text: comebackText(comeback, leaseMs), ok: undefined },
    { title: 'left', ...keysFinding(keys) },
  ];
}

function orderFinding(order: Order): Pick<Finding, 'text' | 'ok'> {
  const { snapshots, grants, seenInLine, violations, tokensRise } = order;
  const compared = `${snapshots} snapshots and ${grants} grants, ${seenInLine} of them seen in line before`;
  if (seenInLine === 0) {
    return { text: `unknown: nobody was seen in line, in ${compared}`, ok: false };
  }
  if (violations.length > 0) {
    const some = violations.slice(0, 3).join('; ');
    return { text: `broken ${violations.length} times, in ${compared}: ${some}`, ok: false };
  }
  const tokens = tokensRise
    ? 'fencing tokens rose likewise'
    : 'fencing tokens did not all rise likewise: a check-in that finds a grant draws a new one';
  return {
    text: `first come, first served: nobody was served while one ahead of it waited, in ${compared}; ${tokens}`,
    ok: true,
  };
}

function comebackText(comeback: Comeback | undefined, leaseMs: number): string {
  if (comeback === undefined) {
    return 'nobody';
  }
  const { worker, leaseOverAfterMs, inUseAfterMs } = comeback;
  if (leaseOverAfterMs === undefined) {
    return `worker ${worker}, but Redis was not seen to count it as a holder after that`;
  }
  const inUse =
    inUseAfterMs === undefined
      ? 'the living were not seen to use all permits again'
      : `the living used all permits again after ${seconds(inUseAfterMs, 2)}`;
  return `worker ${worker}, while it held. Its lease of ${seconds(leaseMs)} was over ${seconds(leaseOverAfterMs, 2)} later; ${inUse}`;
}

function keysFinding({ prefix, left }: Keys): Pick<Finding, 'text' | 'ok'> {
  const immortal = left.filter(({ ttlMs }) => ttlMs < 0).map(({ key }) => key);
  if (immortal.length > 0) {
    return { text: `${immortal.join(', ')} in Redis without a TTL`, ok: false };
  }
  const longestMs = Math.max(0, ...left.map(({ ttlMs }) => ttlMs));
  const keys = left.length === 1 ? '1 key' : `${left.length} keys`;
  return {
    text: `${keys} in Redis, ${prefix}:*, none without a TTL: gone in ${seconds(longestMs, 0)}`,
    ok: true,
  };
}

const seconds = (ms: number, digits = 1) => `${(ms / 1000).toFixed(digits)} s`;
