import { ms, type PermitStory, type Timeline } from '../stories.ts';
import { type Finding, finding, type Verdict, verdict } from '../verdict.ts';
import type { DocumentedWindow } from '../windows.ts';

/** No token comes twice, and whoever asks after another was granted gets a higher one. */
export function checkTokens(timeline: Timeline): Verdict {
  const { permits, requests } = timeline;
  const findings: Finding[] = [];
  const holders = new Map<number, PermitStory>();
  for (const permit of permits) {
    const other = holders.get(permit.token);
    if (other !== undefined) {
      const what = `token ${permit.token} of ${permit.permit} is that of ${other.permit} too`;
      findings.push({ at: permit.grantedAt, what });
    }
    holders.set(permit.token, permit);
  }

  const windows = forgettingWithTheClock(timeline);
  let next = 0;
  let highest: PermitStory | undefined;
  for (const { askedAt, permit } of requests) {
    for (; (permits[next]?.grantedAt ?? Number.POSITIVE_INFINITY) < askedAt; next++) {
      const passed = permits[next] as PermitStory;
      if (passed.token > (highest?.token ?? 0)) highest = passed;
    }
    if (permit !== undefined && highest !== undefined && permit.token < highest.token) {
      const what = `${permit.permit} was asked for after ${highest.permit} was granted, but ${permit.token} < ${highest.token}`;
      findings.push(finding(permit.grantedAt, what, windows));
    }
  }
  return verdict('fencing tokens rise and never repeat', permits.length, findings);
}

/** All data was lost after the clock had been set back: then tokens rise once a client has spoken that saw higher ones. */
function forgettingWithTheClock({ faults, settings }: Timeline): DocumentedWindow[] {
  const back = faults.find(({ kind }) => kind === 'clock-back');
  return faults
    .filter(
      ({ kind, from }) => (kind === 'flush' || kind === 'forget') && back !== undefined && back.from < from,
    )
    .map(({ id, from, to }) => ({
      why: `data lost (${id}) after the clock was set back`,
      from,
      to: to + 3 * settings.presenceMs * ms,
      covers: () => true,
    }));
}
