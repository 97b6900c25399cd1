import { context, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { type AcquireFailure, onFact, type RequestFact } from '../facts.ts';

/** Not errors of the operation: the caller asked for just that. */
const expected: ReadonlySet<AcquireFailure> = new Set(['busy', 'aborted', 'client_closed']);

/** A span for each request, from asking to its end: how long a trace stood in line. */
export function traceRequests(tracer: Tracer, requireParentSpan: boolean): () => void {
  const spans = new WeakMap<RequestFact, Span>();
  const end = (request: RequestFact, finish: (span: Span) => void) => {
    const span = spans.get(request);
    if (span !== undefined) {
      spans.delete(request);
      finish(span);
      span.end();
    }
  };
  const stops = [
    onFact('parkade:acquire:start', ({ request }) => {
      if (requireParentSpan && trace.getSpan(context.active()) === undefined) {
        return;
      }
      const attributes = {
        'parkade.semaphore.name': request.semaphore,
        'parkade.permit.weight': request.weight,
      };
      spans.set(request, tracer.startSpan('parkade.acquire', { kind: SpanKind.CLIENT, attributes }));
    }),
    onFact('parkade:acquire:queued', ({ request }) => {
      spans.get(request)?.addEvent('queued');
    }),
    onFact('parkade:acquire:granted', ({ request, permit }) =>
      end(request, (span) => {
        span.setAttributes({
          'parkade.acquire.outcome': 'granted',
          'parkade.permit.id': permit.id,
          'parkade.permit.fencing_token': permit.fencingToken,
        });
      }),
    ),
    onFact('parkade:acquire:failed', ({ request, outcome, error }) =>
      end(request, (span) => {
        span.setAttribute('parkade.acquire.outcome', outcome);
        if (!expected.has(outcome)) {
          const message = error instanceof Error ? error.message : String(error);
          span.setAttribute('error.type', outcome);
          span.setStatus({ code: SpanStatusCode.ERROR, message });
        }
      }),
    ),
  ];
  return () => stops.forEach((stop) => void stop());
}
