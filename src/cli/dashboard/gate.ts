import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { Context, MiddlewareHandler } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { createMiddleware } from 'hono/factory';
import type { Refusal } from './messages.ts';

export interface GateSettings {
  /** What whoever looks has to show; undefined: nothing. */
  readonly token: string | undefined;
  /** Names of this machine by which the page may be reached, besides `localhost` and addresses. */
  readonly hosts: readonly string[];
}

/** A page of another site can't send this header without asking first, and is never allowed to. */
const changeHeader = 'x-parkade';

/** Who may come in: the browser pages that this server itself has served, to people who have the token. */
export class Gate {
  readonly #settings: GateSettings;

  constructor(settings: GateSettings) {
    this.#settings = settings;
  }

  /**
   * For everything. Names that aren't ours are refused: by one of his own, that he lets point here, an attacker's page
   * would be of the same origin as ours. What another site's page asks for in the background is refused too.
   */
  readonly origin: MiddlewareHandler = createMiddleware(async (c, next) => {
    const host = hostNameOf(c.req.header('host'));
    if (host === undefined || !this.#isOurs(host)) {
      return refuse(c, 421, `This dashboard is not known as ${host ?? 'that'}; see --allow-host.`);
    }
    const site = c.req.header('sec-fetch-site') ?? 'none';
    const isOpened = c.req.method === 'GET' && c.req.header('sec-fetch-mode') === 'navigate';
    if (site !== 'same-origin' && site !== 'none' && !isOpened) {
      return refuse(c, 403, "Another site's page has no business here.");
    }
    return next();
  });

  /** For everything but the page itself, which knows nothing. */
  readonly token: MiddlewareHandler = createMiddleware(async (c, next) =>
    this.#isSignedIn(c) ? next() : refuse(c, 401, 'Needs the token that the dashboard printed.'),
  );

  /** For what changes something. */
  readonly change: MiddlewareHandler = createMiddleware(async (c, next) => {
    const origin = c.req.header('origin');
    const isForeign = origin !== undefined && urlOf(origin)?.host !== c.req.header('host');
    if (isForeign || c.req.header(changeHeader) === undefined) {
      return refuse(c, 403, `Changes come from this dashboard's own page, with the header ${changeHeader}.`);
    }
    if (!/^application\/json\b/.test(c.req.header('content-type') ?? '')) {
      return refuse(c, 415, 'Changes come as application/json.');
    }
    return next();
  });

  /** Whether it is the token; if so, the browser is given a cookie that stands for it until it is closed. */
  signIn(c: Context, token: string): boolean {
    const expected = this.#settings.token;
    if (expected === undefined || !isSame(token, expected)) {
      return expected === undefined;
    }
    setCookie(c, cookieName(c), digest(expected).toString('hex'), {
      httpOnly: true,
      sameSite: 'Strict',
      path: '/',
    });
    return true;
  }

  #isSignedIn(c: Context): boolean {
    const { token } = this.#settings;
    if (token === undefined) {
      return true;
    }
    const [, bearer] = /^Bearer (.+)$/.exec(c.req.header('authorization') ?? '') ?? [];
    return bearer !== undefined
      ? isSame(bearer, token)
      : isSame(getCookie(c, cookieName(c)) ?? '', digest(token).toString('hex'));
  }

  #isOurs(host: string): boolean {
    return isIP(host) !== 0 || host === 'localhost' || this.#settings.hosts.includes(host);
  }
}

export function refuse(
  c: Context,
  status: 400 | 401 | 403 | 404 | 409 | 413 | 415 | 421 | 503,
  error: string,
): Response {
  return c.json({ error } satisfies Refusal, status);
}

/** Without the port, in lower case, IPv6 without brackets. */
function hostNameOf(host: string | undefined): string | undefined {
  return urlOf(`http://${host}`)?.hostname.replace(/^\[|\]$/g, '');
}

/** Browsers keep cookies by host and don't look at the port: two dashboards on one machine must not share theirs. */
function cookieName(c: Context): string {
  return `parkade-${urlOf(`http://${c.req.header('host')}`)?.port || '80'}`;
}

function urlOf(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** In a time that tells nothing about where they differ. */
function isSame(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}
