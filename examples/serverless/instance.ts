// An instance of the function, as a platform runs it: for each message the handler is called once. It says when it has the
// permit: Redis knows that earlier.

import { onFact } from 'parkade';
import { handler } from './lambda.ts';

onFact('parkade:acquire:granted', () => process.send?.('granted'));

process.on('message', (event: { workMs: number }) => {
  handler(event).then(
    (result) => process.send?.(result),
    (error) => process.send?.({ error: error.code }),
  );
});
