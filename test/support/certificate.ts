import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A key and a certificate for 127.0.0.1 that vouches for itself. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
  /** Whom to trust: the same certificate. */
  readonly ca: string;
}

interface Files {
  readonly key: string;
  readonly cert: string;
}

/** @throws if openssl is not there */
export async function makeCertificate(): Promise<Certificate> {
  return inFiles(async (files) => {
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=localhost'],
        ...['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost', '-keyout', files.key, '-out', files.cert],
      ],
      { stdio: 'pipe' },
    );
    const [key, cert] = [readFileSync(files.key, 'utf8'), readFileSync(files.cert, 'utf8')];
    return { key, cert, ca: cert };
  });
}

/** Has it in files for as long as something takes. A server reads them when it starts, and not again. */
export async function withCertificateFiles<T>(
  { key, cert }: Certificate,
  use: (files: Files) => Promise<T>,
): Promise<T> {
  return inFiles((files) => {
    writeFileSync(files.key, key);
    writeFileSync(files.cert, cert);
    return use(files);
  });
}

async function inFiles<T>(use: (files: Files) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'parkade-tls-'));
  try {
    return await use({ key: join(folder, 'key.pem'), cert: join(folder, 'cert.pem') });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
