// A job that must run once a night, on one of three pods: limit 1, and a fencing token that the database checks. The
// first pod is paused in the middle, for longer than its lease. Another does the job; then the first goes on, thinks
// that it is still its turn, and writes. The database refuses.
//
//     npm run redis -- npx tsx examples/nightly-job/main.ts

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type Write, writerOf, writeTotal } from './database.ts';

const [name, night] = [`nightly-totals-${process.pid}`, '2026-11-25'];
type Question = { writerOf: string } | { write: Write };

/** Starts a pod, and is the database for it. `onHolding` is called when it has the permit. */
function startPod(pod: string, onHolding?: () => void) {
  const child = fork(new URL('pod.ts', import.meta.url), [name, night, pod]);
  child.on('message', (question: Question) => {
    if ('write' in question) {
      child.send({ answer: writeTotal(question.write) });
    } else {
      child.send({ answer: writerOf(question.writerOf) });
      onHolding?.();
    }
  });
  return child;
}

const first = startPod('pod-1', () => {
  first.kill('SIGSTOP');
  console.log('pod-1 is paused');
  const others = ['pod-2', 'pod-3'].map((pod) => once(startPod(pod), 'exit'));
  void Promise.all(others).then(() => {
    console.log('pod-1 goes on');
    first.kill('SIGCONT');
  });
});
// A paused process does not end by itself.
process.on('exit', () => first.kill('SIGKILL'));
process.on('SIGINT', () => process.exit(130)).on('SIGTERM', () => process.exit(143));

[process.exitCode] = await once(first, 'exit');
console.log(`Written by ${writerOf(night)}`);
