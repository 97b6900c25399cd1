import { type Mutant, mutantsOf } from './mutant.ts';

/** Ways to break how leases are renewed, end and are noticed to have ended. */
export const leasesMutants: readonly Mutant[] = [
  ...mutantsOf('lua/shared/reap.lua', 'lua/acquire', [
    {
      name: 'expired permits are not reaped',
      breaks: 'rule 2: no room is left unused',
      from: 'if not semaphore.isDue or not semaphore.hasPermits then',
      to: 'if true then',
    },
    {
      name: 'expired permits that were too many wait for a beat',
      breaks: 'rule 1: bounded work, continued by the next call',
      from: 'semaphore.unfinished = #expired == 1000\n',
      to: '\n',
      caughtBy: ['lua/shared'],
    },
    {
      name: 'a lease lasts a millisecond longer',
      breaks: 'a lease ends at its expiry',
      from: "'-inf', semaphore.nowMs,",
      to: "'-inf', semaphore.nowMs - 1,",
    },
    {
      name: 'any number of permits is reaped in one call',
      breaks: 'rule 1: bounded work, continued by the next call',
      from: "'LIMIT', 0, 1000",
      to: "'LIMIT', 0, 5000",
      caughtBy: ['lua/shared'],
    },
    {
      name: 'what is reaped frees no units',
      breaks: 'guarantee 1: never over the limit',
      from: '    semaphore.held = semaphore.held - weight\n',
      to: '',
    },
  ]),
  ...mutantsOf('lua/renew.lua', 'lua/renew', [
    {
      name: 'a renewal brings an expired permit back',
      breaks: 'guarantee 7: a lost permit never revives',
      from: "if tonumber(redis.call('ZSCORE', permitsKey, record) or 0) > semaphore.nowMs then",
      to: 'if true then',
    },
    {
      name: 'a renewal does not reap',
      breaks: 'rule 2: no room is left unused',
      from: 'reap(semaphore)\n',
      to: '',
    },
    {
      name: 'a renewal does not hand off',
      breaks: 'rule 2: no room is left unused',
      from: 'local told = handOff(',
      to: 'local told = {} or handOff(',
    },
    {
      name: 'a renewal is told, but not written',
      breaks: 'a renewal gives a new expiry',
      from: "    redis.call('ZADD', permitsKey, expiresAtMs, record)\n",
      to: '',
    },
    {
      name: 'an expired permit that is still there is renewed',
      breaks: 'guarantee 7: a lost permit never revives',
      from: 'or 0) > semaphore.nowMs then',
      to: 'or 0) > 0 then',
      caughtBy: ['lua/shared'],
    },
    {
      name: 'a renewal never shortens',
      breaks: 'permit.renew(ms) counts from now',
      from: "'ZADD', permitsKey, expiresAtMs",
      to: "'ZADD', permitsKey, 'GT', expiresAtMs",
    },
  ]),
  ...mutantsOf('src/engine.ts', 'client/release', [
    {
      name: 'a lost permit that is back in Redis was held when it is released',
      breaks: 'a lost permit never revives',
      from: 'return first ? released : released.then(() => false);',
      to: 'return released;',
    },
  ]),
  ...mutantsOf('src/deadline.ts', 'client/lost-permits', [
    {
      name: 'the deadline is counted from the reply',
      breaks: 'load-bearing: deadline counted from sending',
      from: 'const aheadMs = serverNowMs - sentAtMs;',
      to: 'const aheadMs = serverNowMs - nowMs;',
      caughtBy: ['client/lost-permits', "interleavings > 'late replies'"],
    },
  ]),
  ...mutantsOf('src/keeper.ts', 'client/lost-permits', [
    {
      name: 'holders are not told that their lease ended',
      breaks: 'guarantee 8: the signal aborts in time',
      from: '        this.#events.expired(lease);\n',
      to: '        lease.renewing = true;\n',
    },
    {
      name: 'leases are not renewed',
      breaks: 'renewal',
      from: '      this.#events.renew(leases);\n',
      to: '',
      caughtBy: ['client/leases'],
    },
    {
      name: 'the keeper sleeps through a suspension',
      breaks: 'guarantee 8: the signal aborts in time',
      from: 'const longestSleepMs = 1_000;',
      to: 'const longestSleepMs = 3_600_000;',
      caughtBy: ['unit/keeper'],
    },
  ]),
  ...mutantsOf('src/lease.ts', 'client/lost-permits', [
    {
      name: 'a permit is held until a timer says otherwise',
      breaks: 'isHeld compares at the moment of asking',
      from: "if (this.state === 'held' && this.#clock.monotonicMs() >= this.deadlineMs) {",
      to: 'if (false) {',
    },
  ]),
  ...mutantsOf('src/renewer.ts', 'client/lost-permits', [
    {
      name: 'a failed renewal is not tried again',
      breaks: 'one failed renewal does not end the session',
      from: '          this.#parts.keeper.retry(lease);\n',
      to: '',
    },
  ]),
];
