import { type Mutant, mutantsOf } from './mutant.ts';

/** Ways to break revocation. */
export const revokingMutants: readonly Mutant[] = [
  ...mutantsOf('lua/revoke.lua', 'lua/revoke', [
    {
      name: 'a revoked permit is remembered no longer than was asked for',
      breaks: 'what was revoked does not come back',
      from: 'math.max(heldUntilMs, semaphore.nowMs + memoryMs)',
      to: 'semaphore.nowMs + memoryMs',
    },
    {
      name: 'a revoked permit keeps its units',
      breaks: 'guarantee 1: never over the limit',
      from: '  semaphore.held = semaphore.held - weight\n',
      to: '',
    },
    {
      name: 'the units of a revoked permit idle',
      breaks: 'rule 2: no room is left unused',
      from: 'local told = handOff(semaphore, clientId, presenceMs)',
      to: 'local told = {}',
    },
    {
      name: 'a revocation makes a semaphore where there is none',
      breaks: 'nothing is left behind',
      from: 'if not semaphore.epoch and',
      to: 'if false and',
      caughtBy: ['client/revoke > leaves no key'],
    },
    {
      name: 'nobody is told of a revocation',
      breaks: 'what was revoked does not come back',
      from: '  tell(told, client, record, 0, semaphore.nowMs)\n',
      to: '',
    },
    {
      name: 'a revocation that is sent twice says that there was nothing',
      breaks: 'rule 5: replays are harmless',
      from: '(isTaken or isRevoked(semaphore, record))',
      to: 'isTaken',
    },
    {
      name: 'a waiter can not be revoked',
      breaks: 'what was revoked does not come back',
      from: "not isHeld and redis.call('ZREM', waitersKey, record) == 1",
      to: 'false',
    },
  ]),
  ...mutantsOf('lua/shared/revoked.lua', 'lua/revoke', [
    {
      name: 'what was revoked is forgotten at once',
      breaks: 'what was revoked does not come back',
      from: ' > semaphore.nowMs',
      to: ' > semaphore.nowMs * 2',
    },
  ]),
  ...mutantsOf('lua/renew.lua', 'lua/revoke', [
    {
      name: 'a renewal does not know what was revoked',
      breaks: 'what was revoked does not come back',
      from: 'elseif isRevoked(semaphore, record) then',
      to: 'elseif false then',
    },
  ]),
  ...mutantsOf('lua/restore.lua', 'lua/revoke', [
    {
      name: 'a restoration brings a revoked permit back',
      breaks: 'what was revoked does not come back',
      from: 'if isRevoked(semaphore, record) then',
      to: 'if false then',
    },
    {
      name: 'a restoration brings a revoked waiter back',
      breaks: 'what was revoked does not come back',
      from: 'not isGranted and not isRevoked(semaphore, entries[i])',
      to: 'not isGranted',
    },
  ]),
  ...mutantsOf('src/acquirer.ts', 'client/revoke', [
    {
      name: 'a holder is not told that its permit was revoked',
      breaks: 'what was revoked does not come back, and its holder is told',
      from: '      this.#events.revoked(lease);\n',
      to: '',
    },
  ]),
  ...mutantsOf('src/renewer.ts', 'client/revoke', [
    {
      name: 'a renewal takes a revoked permit for lost data',
      breaks: 'what was revoked does not come back, and its holder is told',
      from: '        this.#events.revoked(lease);\n',
      to: '        dataLost = true;\n',
    },
  ]),
  ...mutantsOf('src/client.ts', 'client/revoke', [
    {
      name: 'who revokes its own permit is not told',
      breaks: 'own news travel in the reply',
      from: '      this.#engine(semaphore)?.wakeUp({ semaphore, ...news }); // of our own, which travels in the reply\n',
      to: '',
    },
  ]),
];
