import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from '../crew.ts';
import { nowMs } from '../loads/now.ts';
import type { Scenario } from '../scenario.ts';
import { quantile, sorted } from '../statistics.ts';

export const handOff: Scenario = {
  name: 'hand-off',
  what: 'release in one process to acquire in another that waits, limit 1',
  contenders: ['PUBLISH', 'PUBLISH, one connection', 'parkade', 'redis-semaphore', 'bottleneck', 'redlock'],
  leftOut: { 'async-sema': 'has one process only' },
  rounds: 5,
  figures: [
    { key: 'p50', title: 'latency p50', unit: 'ms', reference: 'PUBLISH' },
    { key: 'p90', title: 'latency p90', unit: 'ms', reference: 'PUBLISH' },
    { key: 'p99', title: 'latency p99', unit: 'ms', reference: 'PUBLISH' },
  ],
  reaches: [{ figure: 'p50', against: { contender: 'PUBLISH', figure: 'p50' }, atMost: 1.3 }],
  async open(contender, stage) {
    const crew = await stage.startCrew(contender, 2, { manyTasks: false });
    let [holder, waiter] = crew.workers as readonly [Worker, Worker];
    await holder.call('ask', 'hand-off');
    await holder.call('granted', 'hand-off');
    return {
      async measure() {
        const latenciesMs: number[] = [];
        const endAtMs = nowMs() + stage.pick(1500, 300);
        while (nowMs() < endAtMs || latenciesMs.length < 2) {
          await waiter.call('ask', 'hand-off');
          // In line by then; and at no fixed phase of whoever polls.
          await sleep(8 + Math.random() * 10);
          const [releasedAtMs, grantedAtMs] = await Promise.all([
            holder.call('release', 'hand-off'),
            waiter.call('granted', 'hand-off'),
          ]);
          latenciesMs.push(grantedAtMs - releasedAtMs);
          [holder, waiter] = [waiter, holder];
        }
        const latencies = sorted(latenciesMs);
        return {
          p50: quantile(latencies, 0.5),
          p90: quantile(latencies, 0.9),
          p99: quantile(latencies, 0.99),
        };
      },
      close: () => crew.kill(),
    };
  },
};
