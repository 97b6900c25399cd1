/** What the caller wants of a server that is started here. */
export interface Settings {
  /** Lines of redis.conf by their names, over the defaults of `redisConf`. */
  readonly config: Record<string, string>;
  /** The port on loopback; undefined for a free one. */
  readonly port: number | undefined;
  /** The data folder, an absolute path to an existing one, kept at the end; undefined for a temporary one, deleted at the end. */
  readonly dir: string | undefined;
}

/** A server to run as a process: it takes its redis.conf on stdin, as `redis-server -` does. */
export interface ProcessJob {
  readonly kind: 'process';
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The part of its output that tells that it listens. */
  readonly readyLine: string;
  readonly settings: Settings;
}

/** A server to run as a Docker container. */
export interface ContainerJob {
  readonly kind: 'container';
  readonly image: string;
  readonly settings: Settings;
}

/** What the watchdog is asked to run and to look after. */
export type Job = ProcessJob | ContainerJob;

/** The watchdog's one answer: where the server is, or in one line why there is none. */
export type Report = { readonly url: string; readonly pid: number | undefined } | { readonly failed: string };

/** A server that the watchdog has started. */
export interface OwnedServer {
  readonly url: string;
  readonly pid: number | undefined;
  /** Resolves when the server ends without being asked to, its folder deleted. */
  readonly gone: Promise<void>;
  /** Ends the server and deletes its temporary folder. */
  stop(): Promise<void>;
}

/** The defaults for a throw-away server, with the caller's settings over them, as the text of a redis.conf. */
export function redisConf(settings: Record<string, string>): string {
  const lines = { save: '', appendonly: 'no', ...settings };
  return Object.entries(lines)
    .map(([name, value]) => `${name} ${value === '' ? '""' : value}\n`)
    .join('');
}
