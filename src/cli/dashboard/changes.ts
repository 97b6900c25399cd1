import * as z from 'zod/mini';
import type { SemaphoreClient } from '../../index.ts';
import type { ResizeOrder, RevokeOrder } from './messages.ts';

/** What became of an order: it was carried out, or why not. */
export type Outcome =
  | { readonly status: 200; readonly done: string }
  | { readonly status: 404 | 409; readonly error: string };

const resizeSchema = z.strictObject({
  name: z.string(),
  limit: z.int().check(z.gte(0)),
  limitBefore: z.int(),
});
const revokeSchema = z.strictObject({ name: z.string(), permit: z.string() });

/** @throws $ZodError */
export const parseResize = (body: unknown): ResizeOrder => resizeSchema.parse(body);

/** @throws $ZodError */
export const parseRevoke = (body: unknown): RevokeOrder => revokeSchema.parse(body);

/** Rejects as `client.inspect` and `semaphore.resize` do. */
export async function resize(
  client: SemaphoreClient,
  { name, limit, limitBefore }: ResizeOrder,
): Promise<Outcome> {
  const now = await client.inspect(name, { pageSize: 1 });
  if (!now.exists) {
    return { status: 404, error: `Nobody uses '${name}' any more.` };
  }
  if (now.limit !== limitBefore) {
    return { status: 409, error: `The limit is ${now.limit} by now, no longer ${limitBefore}.` };
  }
  await client.semaphore(name, { limit }).resize(limit);
  return { status: 200, done: `${name}: limit ${limitBefore} → ${limit}` };
}

/** Rejects as `client.revoke` does. */
export async function revoke(client: SemaphoreClient, { name, permit }: RevokeOrder): Promise<Outcome> {
  return (await client.revoke(name, permit))
    ? { status: 200, done: `${name}: revoked ${permit}` }
    : { status: 404, error: 'Nobody holds that permit any more, or waits for it.' };
}
