import type { RequestStory, Timeline } from './stories.ts';

/** Which request a record stands for. Its lease tells, a number of its own for each request of a client. */
export function requestsByRecord({
  requests,
}: Timeline): (record: string, at: number) => RequestStory | undefined {
  const byName = new Map<string, RequestStory[]>();
  for (const request of requests) {
    const name = `${request.worker.client}/${request.leaseMs}`;
    byName.set(name, [...(byName.get(name) ?? []), request]);
  }
  return (record, at) => {
    const [client, , , lease] = record.split('/');
    const known = byName.get(`${client}/${Number.parseInt(lease ?? '', 10)}`) ?? [];
    return known.findLast(({ askedAt }) => askedAt < at);
  };
}
