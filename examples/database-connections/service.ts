// A service with a pool of its own, which makes 20 queries at once. Arguments: its name, the size of its pool.

import pg from 'pg';
import { LimitedClient } from './limited-client.ts';

const [name = 'orders', max] = process.argv.slice(2);
const pool = new pg.Pool({
  Client: LimitedClient,
  connectionString: process.env['DATABASE_URL'],
  application_name: name,
  max: Number(max),
  // A permit is held while its connection is open. So that others get their turn, it is closed when it has been idle for
  // this long, and also after so many queries of a service that is never idle.
  idleTimeoutMillis: 100,
  maxUses: 3,
});
const queries = await Promise.allSettled(
  Array.from({ length: 20 }, () => pool.query('SELECT pg_sleep(0.05)')),
);
const failed = queries.filter(({ status }) => status === 'rejected');
console.log(`${name}: ${queries.length - failed.length} of ${queries.length} queries answered`);
await pool.end();
