import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { secureHeaders } from 'hono/secure-headers';
import { streamSSE } from 'hono/streaming';
import * as z from 'zod/mini';
import { ParkadeError, type SemaphoreClient } from '../../index.ts';
import { failureOf } from '../failure.ts';
import { type Outcome, parseResize, parseRevoke, resize, revoke } from './changes.ts';
import { type Gate, refuse } from './gate.ts';
import { pageFiles } from './page.generated.ts';
import type { Poller } from './poller.ts';
import { type StreamSettings, tellLooks } from './stream.ts';

export interface AppParts {
  readonly client: SemaphoreClient;
  readonly poller: Poller;
  readonly gate: Gate;
  readonly about: StreamSettings['about'];
  /** Ends all streams. */
  readonly end: AbortSignal;
  /** Told of each change that was made. */
  readonly changed: (what: string) => void;
  /** Told what should never happen. */
  readonly bug: (error: unknown) => void;
}

const mostStreams = 100;
const mostListed = 10_000;

/** Only files of our own, no script or style in the page itself, and text never taken for markup. */
const policy = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'"],
  connectSrc: ["'self'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
  requireTrustedTypesFor: ["'script'"],
  trustedTypes: ["'none'"],
};

export interface DashboardApp {
  readonly app: Hono;
  /** Resolves when all streams have come to their end. */
  ended(): Promise<unknown>;
}

/** What the dashboard answers to whom. GET changes nothing. */
export function dashboardApp({ client, poller, gate, about, end, changed, bug }: AppParts): DashboardApp {
  const app = new Hono();
  app.use(
    secureHeaders({
      contentSecurityPolicy: policy,
      strictTransportSecurity: false, // there may be other things on this host
      xFrameOptions: 'DENY',
      crossOriginOpenerPolicy: 'same-origin',
      crossOriginResourcePolicy: 'same-origin',
      referrerPolicy: 'no-referrer',
    }),
  );
  app.use(gate.origin);
  app.use(async (c, next) => {
    await next();
    c.header('cache-control', c.res.headers.has('etag') ? 'no-cache' : 'no-store');
  });
  app.use(bodyLimit({ maxSize: 10_000, onError: (c) => refuse(c, 413, 'That is too much.') }));

  for (const { path, type, etag, text } of pageFiles) {
    app.get(path, (c) =>
      c.req.header('if-none-match') === etag
        ? c.body(null, 304, { etag })
        : c.body(text, 200, { 'content-type': type, etag }),
    );
  }
  app.get('/healthz', (c) => c.text('ok\n'));
  app.post('/session', gate.change, async (c) => {
    const { token } = z.strictObject({ token: z.string() }).parse(await c.req.json());
    return gate.signIn(c, token) ? c.body(null, 204) : refuse(c, 401, 'That is not the token.');
  });

  app.use(gate.token);
  app.get('/session', (c) => c.body(null, 204));
  const streams = new Set<Promise<void>>();
  app.get('/events', (c) => {
    if (streams.size >= mostStreams) {
      return refuse(c, 503, `${mostStreams} browsers look already.`);
    }
    const open = c.req.query('open');
    const size = Math.min(mostListed, Math.max(1, Math.trunc(Number(c.req.query('size'))) || 100));
    c.header('x-accel-buffering', 'no'); // nginx would hold events back
    return streamSSE(c, async (sse) => {
      const stream = tellLooks(sse, poller, { open, size, about }, end).catch(bug);
      streams.add(stream);
      await stream;
      streams.delete(stream);
    });
  });

  const answer = ({ status, ...outcome }: Outcome) => {
    if ('done' in outcome) {
      changed(outcome.done);
      poller.lookSoon();
    }
    return Response.json(outcome, { status });
  };
  for (const path of ['/resize', '/revoke']) {
    app.use(path, gate.change, async (c, next) =>
      about.mayChange
        ? next()
        : refuse(c, 403, 'Changes are not allowed here; start the dashboard with --allow-changes.'),
    );
  }
  app.post('/resize', async (c) => answer(await resize(client, parseResize(await c.req.json()))));
  app.post('/revoke', async (c) => answer(await revoke(client, parseRevoke(await c.req.json()))));

  app.notFound((c) => refuse(c, 404, 'There is nothing here.'));
  app.onError((error, c) => {
    if (error instanceof z.core.$ZodError || error instanceof SyntaxError) {
      return refuse(c, 400, error instanceof z.core.$ZodError ? z.prettifyError(error) : error.message);
    }
    if (error instanceof ParkadeError) {
      return refuse(c, error.code === 'INVALID_OPTIONS' ? 400 : 503, failureOf(error).message);
    }
    bug(error);
    return c.json({ error: 'A bug: stderr of the dashboard says which.' }, 500);
  });
  return { app, ended: () => Promise.all(streams) };
}
