import type { Subscriber, SubscriberEvents } from './connection.ts';
import type { NodeRedisClient } from './node-redis-like.ts';
import { letProcessEnd, onceOptions } from './once.ts';
import { Redial } from './redial.ts';

/** A client for messages, made like another one. */
function duplicate(model: NodeRedisClient): NodeRedisClient {
  const client = model.duplicate({
    ...onceOptions,
    name: 'parkade-subscriber',
    socket: { ...model.options.socket, reconnectStrategy: false },
  });
  letProcessEnd(client);
  return client;
}

/** Listens to one server, over one connection after the other. */
export function openSubscriber(
  model: NodeRedisClient,
  channel: string,
  events: SubscriberEvents,
): Subscriber {
  let open = true;
  const line = new Redial(() => duplicate(model), {
    ready: (client) => {
      client
        .subscribe(channel, (text) => open && events.message(text))
        .then(
          () => open && events.listening(),
          (error: Error) => open && events.error(error),
        );
    },
    error: (error) => open && events.error(error),
  });
  return {
    hearShard() {},
    leaveShard() {},
    close() {
      open = false;
      line.close();
    },
  };
}
