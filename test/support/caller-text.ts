/** What the second argument of a script says of its caller, as `lua/shared/caller.lua` reads it. */
export function readCallerText(text: unknown) {
  const [clientId = '', presenceMs, prefix, name, epoch, retentionMs, limit, bounded, own = ''] =
    String(text).split('\n');
  return {
    clientId,
    presenceMs: Number(presenceMs),
    prefix,
    name,
    epoch: Number(epoch),
    retentionMs: Number(retentionMs),
    limit: Number(limit),
    bounded: bounded === '1',
    own,
  };
}
