import { type Mutant, mutantsOf } from './mutant.ts';

/** Ways to break releases and cancels. */
export const releasingMutants: readonly Mutant[] = [
  ...mutantsOf('lua/release.lua', 'lua/release', [
    {
      name: 'a release does not hand off',
      breaks: 'rule 2: no room is left unused',
      from: 'local told = handOff(semaphore, clientId, presenceMs)',
      to: 'local told = {}',
      caughtBy: ['lua/release'],
    },
    {
      name: 'a release leaves the line alone',
      breaks: 'load-bearing: release also clears the line',
      from: "redis.call('ZREM', waitersKey, unpack(own)) > 0",
      to: 'false',
    },
    {
      name: 'a cancel leaves a permit that was granted meanwhile',
      breaks: 'load-bearing: cancel releases what was granted',
      from: 'local isHeld = takeOut()\n',
      to: "local isHeld = redis.call('ZCARD', waitersKey) == 0 and takeOut() or {}\n",
      caughtBy: ['lua/release'],
    },
    {
      name: 'anybody may release anything',
      breaks: 'guarantee 6: owner-checked',
      from: 'if client == clientId then',
      to: 'if client then',
    },
    {
      name: 'a release frees no units',
      breaks: 'guarantee 1: never over the limit',
      from: '    semaphore.held = semaphore.held - weightOf[record]\n',
      to: '',
    },
    {
      name: 'an expired permit counts as held',
      breaks: 'guarantee 6: stale permits free nothing',
      from: 'if expiresAtMs and not (semaphore.unfinished and tonumber(expiresAtMs) <= semaphore.nowMs) then',
      to: 'if expiresAtMs then',
      caughtBy: ['lua/shared'],
    },
    {
      name: 'whatever is released was held',
      breaks: 'guarantee 6: owner-checked and once',
      from: 'isHeld[record] and 1 or 0',
      to: '1',
    },
    {
      name: 'a release does not reap',
      breaks: 'rule 2: no room is left unused',
      from: 'reap(semaphore)\n',
      to: '',
    },
    {
      name: 'a release does not know what was revoked',
      breaks: 'what was revoked does not come back',
      from: 'elseif semaphore.nowMs < semaphore.revokedUntilMs and',
      to: 'elseif false and',
      caughtBy: ['lua/revoke'],
    },
    {
      name: 'one of several permits that are released stays',
      breaks: 'a release takes the permit out',
      from: "redis.call('ZREM', permitsKey, unpack(held))",
      to: "redis.call('ZREM', permitsKey, held[1])",
    },
    {
      name: 'an expired permit that is released alone counts as held',
      breaks: 'guarantee 6: stale permits free nothing',
      from: '#own == 1 and not semaphore.unfinished',
      to: '#own == 1',
      caughtBy: ['lua/shared'],
    },
    {
      name: 'a permit that is named twice is released twice',
      breaks: 'guarantee 6: owner-checked and once',
      from: '    isHeld[record] = nil -- named twice, it counts once\n',
      to: '',
    },
    {
      name: 'a release removes nothing',
      breaks: 'guarantee 6: a release frees what was held',
      from: "return { [own[1]] = redis.call('ZREM', permitsKey, own[1]) == 1 }",
      to: 'return {}',
      caughtBy: ['lua/release'],
    },
  ]),
  ...mutantsOf('src/releaser.ts', 'client/revoke', [
    {
      name: 'a release that was re-sent takes a revoked permit for released',
      breaks: 'what was revoked does not come back',
      from: "      answer !== 'revoked' &&\n",
      to: '',
    },
    {
      name: 'a re-sent release that finds nothing was none',
      breaks: 'a re-sent release was a release',
      from: 'asker?.done(answer === true || before)',
      to: 'asker?.done(answer === true)',
      caughtBy: ['client/dropped-replies', "interleavings > 'lost replies'"],
    },
  ]),
];
