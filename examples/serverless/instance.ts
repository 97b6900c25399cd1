// An instance of the function, as a platform runs it: for each message the handler is called once.

import { handler } from './lambda.ts';

process.on('message', (event: { workMs: number }) => {
  process.send?.('begun');
  handler(event).then(
    (result) => process.send?.(result),
    (error) => process.send?.({ error: error.code }),
  );
});
