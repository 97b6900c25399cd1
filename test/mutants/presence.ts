import { type Mutant, mutantsOf } from './mutant.ts';

/** Ways to break beats, and who counts as present. */
export const presenceMutants: readonly Mutant[] = [
  ...mutantsOf('lua/beat.lua', 'lua/beat', [
    {
      name: 'a beat does not hand off',
      breaks: 'load-bearing: reaping and handing off within beats',
      from: 'local told = handOff(semaphore, clientId, presenceMs, true)',
      to: 'local told = {}',
    },
    {
      name: 'a beat does not reap',
      breaks: 'load-bearing: reaping and handing off within beats',
      from: 'reap(semaphore)\n',
      to: '',
      caughtBy: ['lua/beat'],
    },
    {
      name: 'a beat is no sign of life',
      breaks: 'guarantee 5: a live waiter keeps its place',
      from: "  redis.call('ZADD', clientsKey, semaphore.nowMs + presenceMs, clientId)\n",
      to: '',
    },
    {
      name: 'who only looks in counts as waiting',
      breaks: 'only waiting clients are present',
      from: "if waiting == '1' then",
      to: 'if true then',
    },
    {
      name: 'a beat counts after the line was judged',
      breaks: 'guarantee 5: a live waiter keeps its place',
      from: 'reap(semaphore)\n',
      to: "redis.call('ZREM', clientsKey, clientId)\nreap(semaphore)\n",
    },
    {
      name: 'clients gone for good are never deleted',
      breaks: 'nothing is left behind',
      from: "  redis.call('ZREMRANGEBYSCORE', clientsKey, '-inf', string.format('(%.0f', goneBeforeMs))\n",
      to: '',
    },
    {
      name: 'clients gone for good stay when nobody waits any more',
      breaks: 'nothing is left behind',
      from: "if waiting == '1' or not semaphore.hasLine then",
      to: "if waiting == '1' then",
    },
    {
      name: 'a line may be left without clients',
      breaks: 'rule 3: forgotten, and nothing changed',
      from: "if waiting == '1' or not semaphore.hasLine then",
      to: 'if true then',
    },
    {
      name: 'nobody is told that it was refused for its weight',
      breaks: 'waiters that a resize makes impossible are refused',
      from: "'unknown', semaphore.refusedAtMs",
      to: "'unknown', 0",
      caughtBy: ['lua/resize'],
    },
    {
      name: 'clients in their grace are deleted',
      breaks: 'guarantee 5: a live waiter keeps its place',
      from: 'isGrace and math.min(semaphore.nowMs, semaphore.graceFromMs) or semaphore.nowMs',
      to: 'semaphore.nowMs',
      caughtBy: ['lua/shared'],
    },
    {
      name: 'who came back never loses its grace',
      breaks: 'nothing is left behind',
      from: 'local isGrace = semaphore.graceUntilMs > semaphore.nowMs',
      to: 'local isGrace = semaphore.graceFromMs > 0',
      caughtBy: ['lua/shared'],
    },
    {
      name: 'a beat repeats the last number',
      breaks: 'guarantee 7: tokens rise strictly',
      from: "'granted', drawNumber(semaphore)",
      to: "'granted', semaphore.seq",
    },
    {
      name: 'a beat calls expired permits granted',
      breaks: 'guarantee 7: a lost permit never revives',
      from: 'elseif heldUntilMs > semaphore.nowMs then',
      to: 'elseif heldUntilMs > 0 then',
      caughtBy: ['lua/shared'],
    },
    {
      name: 'everyone who looks in is told when to look again',
      breaks: 'guarantee 10: an expiry wakes one client',
      from: "lookAgainAtMs(semaphore, waiting == '1' and clientId)",
      to: 'lookAgainAtMs(semaphore, clientId)',
    },
    {
      name: 'the dead stay at the head of a line that stands still',
      breaks: 'guarantee 4: the dead delay the line by one presence time',
      from: 'handOff(semaphore, clientId, presenceMs, true)',
      to: 'handOff(semaphore, clientId, presenceMs)',
    },
    {
      name: 'a check-in does not know what was revoked',
      breaks: 'what was revoked does not come back',
      from: 'elseif isRevoked(semaphore, record) then',
      to: 'elseif false then',
      caughtBy: ['lua/revoke'],
    },
  ]),
  ...mutantsOf('lua/shared/hand-off.lua', 'lua/shared', [
    {
      name: 'waiters of absent clients are served',
      breaks: 'load-bearing: absent waiters dropped',
      from: 'if presence[client] > semaphore.nowMs then',
      to: 'if true then',
    },
    {
      name: 'grace also for who was absent before the silence',
      breaks: 'guarantee 4: the dead delay the line by one presence time',
      from: 'untilMs > 0 and untilMs >= semaphore.graceFromMs',
      to: 'untilMs > 0',
    },
    {
      name: 'absent waiters leave before it is their turn',
      breaks: 'guarantee 5: a live waiter keeps its place',
      from: '      if not sweep and not fits(semaphore, 1) then\n        break\n      end\n',
      to: '',
      caughtBy: ['lua/straight'],
    },
    {
      name: 'a client is absent in the millisecond before',
      breaks: 'guarantee 5: a live waiter keeps its place',
      from: 'if presence[client] > semaphore.nowMs then',
      to: 'if presence[client] - 1 > semaphore.nowMs then',
      caughtBy: ['lua/release'],
    },
    {
      name: 'a client that calls may count as absent',
      breaks: 'guarantee 5: a live waiter keeps its place',
      from: '{ [callerId] = semaphore.nowMs + presenceMs }',
      to: '{}',
      caughtBy: ['lua/restore'],
    },
  ]),
  ...mutantsOf('lua/shared/semaphore.lua', 'lua/shared', [
    {
      name: 'no grace after a silence',
      breaks: 'guarantee 5: a live waiter keeps its place when Redis was away',
      from: 'if lastMs > 0 and nowMs - lastMs > presenceMs / 2 then',
      to: 'if false then',
    },
    {
      name: 'a silence begins after a whole presence time',
      breaks: 'guarantee 5: a live waiter keeps its place',
      from: 'nowMs - lastMs > presenceMs / 2',
      to: 'nowMs - lastMs > presenceMs',
    },
    {
      name: 'a silence gives half a presence time',
      breaks: 'guarantee 5: a live waiter keeps its place',
      from: 'graceUntilMs = nowMs + presenceMs',
      to: 'graceUntilMs = nowMs + presenceMs / 2',
    },
    {
      name: 'who was present never was',
      breaks: 'guarantee 5: a live waiter keeps its place',
      from: 'graceFromMs, graceSinceMs = lastMs, nowMs',
      to: 'graceFromMs, graceSinceMs = nowMs, nowMs',
    },
    {
      name: 'a second silence ends the grace of the first',
      breaks: 'guarantee 5: a live waiter keeps its place',
      from: 'if lastMs >= graceUntilMs or lastMs - graceSinceMs > 3 * presenceMs then',
      to: 'if true then',
    },
  ]),
  ...mutantsOf('lua/acquire.lua', 'lua/shared', [
    {
      name: 'a client that queues is not present',
      breaks: 'guarantee 5: a live waiter keeps its place',
      from: "  redis.call('ZADD', clientsKey, semaphore.nowMs + presenceMs, clientId)\n",
      to: '',
    },
  ]),
  ...mutantsOf('lua/resize.lua', 'lua/resize', [
    {
      name: 'an added unit is remembered for a presence time only',
      breaks: 'a unit is added once',
      from: 'semaphore.nowMs + memoryMs',
      to: 'semaphore.nowMs + presenceMs',
    },
  ]),
  ...mutantsOf('lua/restore.lua', 'lua/restore', [
    {
      name: 'who restores waiters is not present',
      breaks: 'guarantee 5: a live waiter keeps its place',
      from: "  redis.call('ZADD', clientsKey, semaphore.nowMs + presenceMs, clientId)\n",
      to: '',
    },
  ]),
  ...mutantsOf('src/check-in.ts', 'client/wake-ups', [
    {
      name: 'nobody checks in',
      breaks: 'load-bearing: beats',
      from: '        void this.#look();\n',
      to: '',
      caughtBy: ['client/wake-ups', "interleavings > 'hand-over'"],
    },
    {
      name: 'a check-in does not see what was granted',
      breaks: 'guarantee 9: a lost message delays',
      from: '          this.#events.found({ record, token: answer.token, expiresAtMs: answer.expiresAtMs });\n',
      to: '',
    },
  ]),
];
