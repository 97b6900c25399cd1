import express, { type ErrorRequestHandler } from 'express';
import { HttpError } from './limit-requests.ts';
import { limited, makeReport, serveUntilSigterm } from './service.ts';

const app = express();
app.get('/report', async (_request, response) => {
  const gone = new AbortController();
  response.on('close', () => gone.abort()); // answered, or the client hung up
  response.send(await limited(gone.signal, makeReport));
});
const answerHttpErrors: ErrorRequestHandler = (error, _request, response, next) =>
  error instanceof HttpError
    ? response.status(error.status).set(error.headers).send(error.message)
    : next(error);
app.use(answerHttpErrors);
await serveUntilSigterm(app.listen(0, '127.0.0.1'));
