-- What a call says of its caller, besides what differs from call to call. A line each, since that is cheaper
-- to read than JSON; no line break is in any of it.
--   clientId       string: the first field of its records
--   presenceMs     integer: how long it counts as present after a sign of life
--   channelPrefix  string: messages for a client go to channelPrefix:clientId
--   name           string: the semaphore as messages name it, quoted as in JSON
--   epoch          integer: the epoch that it knows, 0 for none
--   retentionMs    integer: TTL of the four keys
--   limit          integer: the limit if this call is the first to speak of the semaphore
--   bounded        0 or 1: whether it has a bounded handle
-- and what only one script is told, in one line more.
local clientId, presenceMs, channelPrefix, name, epoch, retentionMs, limit, bounded = string.match(callerText,
  '^([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n')
presenceMs, epoch, retentionMs = presenceMs + 0, epoch + 0, retentionMs + 0
limit, bounded = limit + 0, bounded + 0
