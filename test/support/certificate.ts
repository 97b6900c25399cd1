import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A key and a certificate for 127.0.0.1 that vouches for itself: texts, and the files that have them. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
  /** Whom to trust: the same certificate. */
  readonly ca: string;
  readonly files: { readonly key: string; readonly cert: string };
}

/**
 * Makes one in a new folder inside this one.
 *
 * @throws if openssl is not there
 */
export function makeCertificate(folder: string): Certificate {
  const home = mkdtempSync(join(folder, 'parkade-tls-'));
  const files = { key: join(home, 'key.pem'), cert: join(home, 'cert.pem') };
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=localhost'],
      ...['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost', '-keyout', files.key, '-out', files.cert],
    ],
    { stdio: 'pipe' },
  );
  const [key, cert] = [readFileSync(files.key, 'utf8'), readFileSync(files.cert, 'utf8')];
  return { key, cert, ca: cert, files };
}
