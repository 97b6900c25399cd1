import { beforeEach } from 'vitest';
import { ground } from './ground.ts';

// Where no redis-server can be started several times, what runs on several servers is skipped.
beforeEach(({ skip }) => {
  const { whyNot } = ground();
  if (whyNot !== undefined) skip(whyNot);
});
