-- What a call says of its caller, besides what differs from call to call:
--   epoch          integer: the epoch that it knows, 0 for none
--   clientId       string: the first field of its records
--   presenceMs     integer: how long it counts as present after a sign of life
--   retentionMs    integer: TTL of the four keys
--   channelPrefix  string: messages for a client go to channelPrefix:clientId
--   name           string: the semaphore, as messages name it
--   limit          integer: the limit if this call is the first to speak of the semaphore
--   bounded        0 or 1: whether it has a bounded handle
-- and what only one script is told.
local caller = cjson.decode(callerText)
local epoch, clientId, presenceMs, retentionMs, channelPrefix, name, limit, bounded = unpack(caller)
