import { setTimeout as sleep } from 'node:timers/promises';
import { nowMs } from '../loads/now.ts';
import type { Scenario } from '../scenario.ts';

const clients = 10;

export const idle: Scenario = {
  name: 'idle',
  what: '10,000 waiters of 10 clients, nothing happens',
  contenders: ['parkade', 'bottleneck'],
  leftOut: {
    'redis-semaphore': 'polls: 10,000 waiters would ask a million times a second',
    redlock: 'polls: 10,000 waiters would ask 50,000 times a second',
    'async-sema': 'has no server',
  },
  rounds: 1,
  figures: [
    { key: 'commands', title: 'commands a client', unit: '/s' },
    { key: 'connections', title: 'connections a client', unit: '' },
  ],
  reaches: [
    { figure: 'commands', atMost: 1 },
    { figure: 'connections', atMost: 2 },
  ],
  async open(contender, stage) {
    const crew = await stage.startCrew(contender, 1, { manyTasks: true });
    return {
      async measure() {
        const connectionsBefore = await stage.server.connections();
        const waiters = stage.pick(10_000, 500);
        await crew.first.call('standInLine', { name: 'idle', clients, waiters });
        const connections = (await stage.server.connections()) - connectionsBefore;
        const before = await stage.server.commandsFromClients();
        const startedAtMs = nowMs();
        // Longer than any regular call: check-ins every third of a presence time, renewals every third of a lease.
        await sleep(stage.pick(12_000, 1_000));
        const seconds = (nowMs() - startedAtMs) / 1000;
        const commands = (await stage.server.commandsFromClients()) - before;
        await crew.first.call('leaveLine');
        return { commands: commands / seconds / clients, connections: connections / clients };
      },
      close: () => crew.kill(),
    };
  },
};
