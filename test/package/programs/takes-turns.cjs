/**
 * What every program here does, with parkade as it came to it: one waits for what another holds, and what was given back
 * cannot be given back again. Whoever calls it prints what it resolves to.
 *
 * @param {import('parkade')} parkade
 * @param {ConstructorParameters<import('parkade').SemaphoreClient>[0]} connection
 */
async function takesTurns({ SemaphoreClient, PermitNotHeldError }, connection) {
  const client = new SemaphoreClient(connection, { prefix: process.env.PREFIX, retentionMs: 10_000 });
  const api = client.semaphore('api', { limit: 1 });
  const first = await api.acquire();
  const none = await api.tryAcquire();
  const waiting = api.acquire({ timeoutMs: 20_000 });
  while ((await api.inspect()).waiting === 0);
  await first.release();
  const second = await waiting;
  const rises = second.fencingToken > first.fencingToken;
  await second.release();

  const db = client.boundedSemaphore('db', { limit: 1 });
  const permit = await db.acquire();
  await permit.release();
  const refusal = await permit.release().catch((error) => error);
  await client.close();
  return `${none} ${rises} ${refusal instanceof PermitNotHeldError} ${refusal.code}`;
}

module.exports = { takesTurns };
