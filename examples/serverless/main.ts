// Plays the platform: calls one instance of a function again and again, freezes it in the middle, thaws it, and ends it.
//
//     npm run redis -- npx tsx examples/serverless/main.ts

import { type ChildProcess, fork } from 'node:child_process';
import { on, once } from 'node:events';

process.env['SEMAPHORE'] = `serverless-${process.pid}`;
const { semaphores } = await import('./semaphores.ts');
const { GET } = await import('./route.ts');

const instances = [1, 2].map(() => fork(new URL('instance.ts', import.meta.url)));
const [one, two] = instances as [ChildProcess, ChildProcess];
process.on('exit', () => instances.map((instance) => instance.kill('SIGKILL')));
process.on('SIGINT', () => process.exit(130)).on('SIGTERM', () => process.exit(143));

async function invoke(
  instance: ChildProcess,
  workMs: number,
): Promise<{ permitId?: string; error?: string }> {
  const answers = on(instance, 'message');
  instance.send({ workMs });
  for await (const [answer] of answers) {
    if (answer !== 'granted') return answer;
  }
  return {};
}

const ids = [await invoke(one, 10), await invoke(one, 10), await invoke(one, 10)].map(
  ({ permitId }) => permitId,
);
const clients = new Set(ids.map((id) => id?.split('/')[0]));
console.log(`${ids.length} invocations, ${clients.size} client`);

// Frozen while it works: nothing runs, so nothing is renewed.
const frozen = invoke(one, 60_000);
await once(one, 'message'); // granted
one.kill('SIGSTOP');
const busy = await GET(new Request('http://localhost/report'));
console.log(`Next's route meanwhile: ${busy.status}, Retry-After: ${busy.headers.get('retry-after')}`);
console.log(
  `Another instance, when the lease is over: ${(await invoke(two, 10)).permitId ? 'served' : 'not served'}`,
);
one.kill('SIGCONT');
console.log(`The frozen one, thawed: ${(await frozen).error}`);
console.log(`Its next invocation: ${(await invoke(one, 10)).permitId ? 'served' : 'not served'}`);

// A development server loads a module again when a file has changed.
const again = await import(`${import.meta.dirname}/semaphores.ts?again`);
console.log(`Loaded again: ${again.semaphores === semaphores ? 'the same client' : 'another client'}`);

const ended = Promise.all(instances.map(async (instance) => (await once(instance, 'exit'))[0]));
for (const instance of instances) instance.kill('SIGTERM');
console.log(`SIGTERM: exit codes ${(await ended).join(', ')}`);
await semaphores.close();
