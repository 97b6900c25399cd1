import { fastify } from 'fastify';
import { limited, makeReport, serveUntilSigterm } from './service.ts';

const app = fastify();
app.get('/report', (request) => limited(request.signal, makeReport));
await app.listen({ port: 0, host: '127.0.0.1' });
await serveUntilSigterm(app.server);
