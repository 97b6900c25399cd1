import { type Mutant, mutantsOf } from './mutant.ts';

/** Ways to break the acknowledgement by replicas. */
export const replicasMutants: readonly Mutant[] = [
  ...mutantsOf('src/acquirer.ts', 'replicas/acknowledged', [
    {
      name: 'a grant is handed out before replicas have it',
      breaks: 'a grant that replicas have not acknowledged is never handed out',
      from: 'if (replication === undefined) {',
      to: 'if (keeper) {',
    },
    {
      name: 'a grant that its request left behind stays',
      breaks: 'guarantee 3: a request that ended holds nothing',
      from: "      lease.end('releasing'); // it was granted, and not handed out yet\n      keeper.remove(lease);\n",
      to: '',
    },
  ]),
  ...mutantsOf('src/acknowledger.ts', 'replicas/acknowledged', [
    {
      name: 'fewer replicas than asked for are enough',
      breaks: 'a grant that replicas have not acknowledged is never handed out',
      from: 'if (acknowledged < replication.minReplicas) {',
      to: 'if (acknowledged < 1) {',
    },
    {
      name: 'a grant for which replicas are silent waits for ever',
      breaks: 'a grant that is not acknowledged in time is reported',
      from: '    clock.afterReading(replication.timeoutMs, () => this.#giveUp(grant));\n',
      to: '',
    },
    {
      name: 'a grant that a primary does not know counts as replicated',
      breaks: 'a grant that replicas have not acknowledged is never handed out',
      from: 'return expiresAtMs > 0;',
      to: 'return true;',
      caughtBy: ['replicas/acknowledged > is put back first'],
    },
    {
      name: 'a grant that is waited for can not be revoked',
      breaks: 'what is revoked ends for its holder',
      from: "      if (expiresAtMs === 'revoked') {\n        this.#events.revoked(lease);\n",
      to: "      if (expiresAtMs === 'revoked') {\n",
      caughtBy: ['replicas/acknowledged > can be revoked also when'],
    },
    {
      name: 'a grant whose lease ended while replicas were waited for is handed out',
      breaks: 'load-bearing: late grants refused',
      from: '} else if (lease.isHeld()) {\n        this.#events.acknowledged',
      to: '} else if (lease) {\n        this.#events.acknowledged',
      caughtBy: ['replicas/acknowledged > whose lease has ended'],
    },
    {
      name: 'a grant is asked for once, whatever the connection does',
      breaks: 'a grant is looked for again when the connection ends',
      from: 'while (isWaited() && clock.monotonicMs() < giveUpAtMs) {',
      to: 'for (let once = true; once; once = false) {',
      caughtBy: ['replicas/acknowledged > is put back first'],
    },
  ]),
  ...mutantsOf('src/redis/replica-rounds.ts', 'replicas/acknowledged', [
    {
      name: 'replicas are waited for without end',
      breaks: 'a WAIT ends with its time',
      from: 'redis.wait(this.#replicas, forMs)',
      to: 'redis.wait(this.#replicas, 0)',
    },
    {
      name: 'each grant has a WAIT of its own',
      breaks: 'one WAIT for all that were granted together',
      from: '      const calls = this.#calls;\n      this.#calls = [];\n',
      to: '      const calls = this.#calls.splice(0, 1);\n',
      caughtBy: ['replicas/acknowledged > shares the next WAIT'],
    },
    {
      name: 'a connection that is silent is never given up',
      breaks: 'attempts have timers',
      from: 'setTimeout(() => redis.disconnect(), leftMs() + silenceMs)',
      to: 'setTimeout(() => {}, leftMs() + silenceMs)',
      caughtBy: ['replicas/acknowledged > is reported in time also'],
    },
    {
      name: 'a connection on which a call failed is used again',
      breaks: 'another server may be the primary now',
      from: '      redis.disconnect(); // another server may be the primary now\n      this.#redis = undefined;\n',
      to: '',
      caughtBy: ['replicas/acknowledged > leaves a primary'],
    },
  ]),
  ...mutantsOf('src/redis/replicated-calls.ts', 'replicas/acknowledged', [
    {
      name: 'who waits for one replica waits behind who waits for two',
      breaks: 'a grant that waits holds up no other',
      from: 'const rounds = this.#rounds.get(key)',
      to: 'const rounds = [...this.#rounds.values()][0]',
    },
    {
      name: 'WAIT stops all that the client does',
      breaks: 'a grant that waits holds up no other',
      from: 'open: (overrides) => this.#redis.duplicate(overrides) }',
      to: 'open: () => this.#redis as IoredisLike }',
    },
  ]),
];
