import type { Server } from 'node:http';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { limited, makeReport, serveUntilSigterm } from './service.ts';

const app = new Hono();
app.get('/report', async (c) => c.text(await limited(c.req.raw.signal, makeReport)));
await serveUntilSigterm(serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server);
