/** What `npm audit --json` came to. */
export type Audit =
  | { readonly kind: 'clean' }
  | { readonly kind: 'findings'; readonly findings: readonly string[] }
  /** The registry has no such service, or it can't be reached. */
  | { readonly kind: 'unavailable'; readonly why: string };

interface Report {
  readonly auditReportVersion?: number;
  readonly message?: string;
  readonly error?: { readonly summary?: string; readonly code?: string };
  readonly vulnerabilities?: Readonly<Record<string, Vulnerability>>;
}

interface Vulnerability {
  readonly name: string;
  readonly severity: string;
  readonly range: string;
  /** Names of packages that it depends on, or advisories. */
  readonly via: readonly (string | { readonly title?: string; readonly url?: string })[];
}

/** Reads what `npm audit --json` has printed. Output that is no report counts as no answer, never as a clean one. */
export function readAudit(output: string): Audit {
  let report: Report;
  try {
    report = JSON.parse(output);
  } catch {
    return { kind: 'unavailable', why: output.trim().split('\n')[0] || 'npm audit printed nothing' };
  }
  if (report?.auditReportVersion === undefined || report.vulnerabilities === undefined) {
    // The address of the registry is nobody's business.
    const why = (report?.message ?? report?.error?.summary) || report?.error?.code || 'no report';
    return { kind: 'unavailable', why: why.replace(/https?:\/\/\S+/g, 'the registry') };
  }
  const findings = Object.values(report.vulnerabilities).map(describe);
  return findings.length === 0 ? { kind: 'clean' } : { kind: 'findings', findings };
}

function describe({ name, severity, range, via }: Vulnerability): string {
  const why = via.map((one) => (typeof one === 'string' ? `by ${one}` : `${one.title} ${one.url}`));
  return `${severity}: ${name} ${range}: ${why.join('; ')}`;
}
