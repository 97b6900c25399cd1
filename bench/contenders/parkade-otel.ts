import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor, InMemorySpanExporter } from '@opentelemetry/sdk-trace-base';
import { instrument } from 'parkade/otel';
import type { Contender } from './contender.ts';
import { parkade } from './parkade.ts';

/** As parkade, with all its metrics and spans recorded by the OpenTelemetry SDK, exported to memory. */
export const parkadeOtel: Contender = {
  open(setting) {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA);
    const spans = new InMemorySpanExporter();
    setInterval(() => {
      exporter.reset();
      spans.reset();
    }, 1000).unref();
    instrument({
      meterProvider: new MeterProvider({
        readers: [
          new PeriodicExportingMetricReader({
            exporter,
            exportIntervalMillis: 1000,
            exportTimeoutMillis: 500,
          }),
        ],
      }),
      tracerProvider: new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(spans)] }),
    });
    return parkade.open(setting);
  },
};
