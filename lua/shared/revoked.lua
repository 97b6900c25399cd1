-- Whether a record was revoked: taken from its holder, or out of the line, by somebody else. A marker in
-- clientsKey remembers it, so that nothing which the holder says or sends again brings it back.
local function isRevoked(semaphore, record)
  return tonumber(redis.call('ZSCORE', semaphore.clientsKey, record) or 0) > semaphore.nowMs
end
