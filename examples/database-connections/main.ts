// A database that takes six connections, and two services with pools of six and of four: more than it takes. Each
// connection has a permit while it is open; one of the reporting service weighs two.
//
//     npm run redis -- npx tsx examples/database-connections/main.ts

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { startDatabase } from './database.ts';

const database = await startDatabase(6);
const env = { ...process.env, DATABASE_URL: database.url, SEMAPHORE: `shop-database-${process.pid}` };
const start = async (name: string, poolSize: number, weight: number) => {
  const service = fork(new URL('service.ts', import.meta.url), [name, `${poolSize}`], {
    env: { ...env, WEIGHT: `${weight}` },
  });
  return (await once(service, 'exit'))[0];
};
const codes = await Promise.all([start('orders', 6, 1), start('reports', 4, 2)]);
console.log(
  `Exit codes ${codes.join(', ')}; ${database.queries} queries over ${database.opened} connections`,
);
console.log(`At most ${database.peak} of 6 places taken at once, ${database.refused} connections refused`);
database.close();
