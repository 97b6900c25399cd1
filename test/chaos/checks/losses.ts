import { overlaps, type Timeline } from '../stories.ts';
import { type Finding, type Verdict, verdict } from '../verdict.ts';

/** Once a permit is lost, it is not held again: not by its holder's word, not by a second grant. */
export function checkNoRevival({ permits }: Timeline): Verdict {
  const findings: Finding[] = [];
  const seen = new Set<string>();
  for (const { permit, grantedAt, lostAt, lastTrustAt = 0, heldAtRelease, releasingAt = 0 } of permits) {
    if (seen.has(permit)) findings.push({ at: grantedAt, what: `${permit} was granted twice` });
    seen.add(permit);
    if (lostAt === undefined) continue;
    if (lastTrustAt > lostAt)
      findings.push({ at: lastTrustAt, what: `${permit} was held again after it was lost` });
    if (heldAtRelease && releasingAt > lostAt) {
      findings.push({ at: releasingAt, what: `${permit} was held at its release after it was lost` });
    }
  }
  return verdict('a lost permit never revives', permits.length, findings);
}

/**
 * A release says true once, for a permit that was held by who releases it, and never afterwards; and true it says, unless
 * something has gone wrong meanwhile.
 */
export function checkReleases({ permits, foreignReleases }: Timeline): Verdict {
  const findings: Finding[] = [];
  let looked = foreignReleases.length;
  for (const { permit, worker, grantedAt, lostAt, heldAtRelease, releases } of permits) {
    looked += releases.length;
    const first = releases.find(({ which }) => which === 'first');
    const inPeace = first !== undefined && !overlaps(worker.disturbances, grantedAt, first.at);
    if (first?.result === false && heldAtRelease && lostAt === undefined && inPeace) {
      findings.push({ at: first.at, what: `${permit} was held, and its release says that it was not` });
    }
    const granted = releases.filter(({ result }) => result === true);
    if (granted.length > 1) {
      findings.push({ at: granted[1]?.at ?? 0, what: `${permit} was released ${granted.length} times` });
    }
    const wasOver = lostAt !== undefined || heldAtRelease === false;
    for (const { at } of granted) {
      if (wasOver && (lostAt === undefined || lostAt < at)) {
        findings.push({ at, what: `${permit} was lost, and then released with success` });
      }
    }
  }
  for (const { at, worker, permit, result } of foreignReleases) {
    if (result === true) findings.push({ at, what: `${worker} released ${permit}, which is not its own` });
  }
  return verdict('only what is held can be released, once', looked, findings);
}
