/** The package has no types. As much of them as is used. */
declare module 'parse-prometheus-text-format' {
  interface Metric {
    readonly name: string;
    readonly help: string;
    readonly type: string;
    readonly metrics: readonly {
      readonly value: string;
      readonly labels?: Readonly<Record<string, string>>;
    }[];
  }
  function parsePrometheusTextFormat(text: string): Metric[];

  // biome-ignore lint/style/noDefaultExport: so it is
  export { parsePrometheusTextFormat as default };
}
