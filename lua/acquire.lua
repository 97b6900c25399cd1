-- Grants permits in the order of asking, or appends to the line what does not fit.
--
-- #include shared/arguments
-- ARGV[10] onLimitMismatch  'error', 'adopt' or 'resize': if another limit was declared; 'settled': let be
-- ARGV[11...] requests      record, weight, leaseMs, maxWaiting of each; at most 500. maxWaiting is the
--                           longest line that the request may join: -1 any, 0 for a try, which never waits
local onLimitMismatch, requests, firstRequest = ARGV[10], ARGV, 11
--
-- Reply: as in shared/reply.lua, with an answer for each request:
--   { 'granted', token, expiry in ms }   { 'queued', ticket }
--   { 'full', waiting }                  the line is longer than the request allows; nothing was queued
--   { 'impossible', limit }              weight > limit > 0; nothing was queued
--   { 'revoked' }                        somebody took it away since it was asked for first
-- or { 'mismatch', now in µs, epoch, declared limit, limit in force }; nothing was changed

-- #include shared/clock
-- #include shared/record
-- #include shared/semaphore
-- #include shared/epoch
-- #include shared/enter
-- #include shared/reap
-- #include shared/fits
-- #include shared/hand-off
-- #include shared/announce
-- #include shared/look-again
-- #include shared/reply
-- #include shared/revoked

local semaphore = openSemaphore(permitsKey, waitersKey, clientsKey, stateKey, seen, presenceMs, retentionMs)
if not enter(semaphore, epoch, limit, bounded) then
  return forgottenReply(semaphore)
end
if limit ~= semaphore.declared then
  if onLimitMismatch == 'error' then
    return { 'mismatch', semaphore.nowUs, semaphore.epoch, semaphore.declared, semaphore.limit }
  elseif onLimitMismatch == 'resize' then
    semaphore.set('declared', limit)
    semaphore.set('limit', limit)
  end
end

reap(semaphore)
local told = handOff(semaphore, clientId, presenceMs)
local waiting = semaphore.hasLine and redis.call('ZCARD', waitersKey) or 0
local queuedAny = false

local function grant(record, weight, leaseMs)
  local expiresAtMs = semaphore.nowMs + leaseMs
  redis.call('ZADD', permitsKey, string.format('%.0f', expiresAtMs), record)
  if semaphore.held == 0 then
    keep(semaphore, permitsKey)
  end
  semaphore.held = semaphore.held + weight
  return { 'granted', drawNumber(semaphore), expiresAtMs }
end

-- A request may come twice: re-sent by the client or by its connection. What was granted or queued before is
-- answered as it stands, and counts once.
local function answer(record, weight, leaseMs, maxWaiting)
  local heldUntilMs = tonumber(semaphore.held > 0 and redis.call('ZSCORE', permitsKey, record) or 0)
  if heldUntilMs > semaphore.nowMs then
    return { 'granted', drawNumber(semaphore), heldUntilMs }
  end
  if heldUntilMs > 0 then -- expired, and not reaped yet
    redis.call('ZREM', permitsKey, record)
    semaphore.held = semaphore.held - weight
  end
  if semaphore.nowMs < semaphore.revokedUntilMs and isRevoked(semaphore, record) then
    return { 'revoked' }
  end
  if waiting == 0 and fits(semaphore, weight) then
    return grant(record, weight, leaseMs)
  end
  local ticket = waiting > 0 and redis.call('ZSCORE', waitersKey, record)
  if ticket then
    queuedAny = true
    return { 'queued', tonumber(ticket) }
  end
  if semaphore.limit > 0 and weight > semaphore.limit then
    return { 'impossible', semaphore.limit }
  end
  if maxWaiting >= 0 and waiting >= maxWaiting then
    return { 'full', waiting }
  end
  ticket = drawNumber(semaphore)
  redis.call('ZADD', waitersKey, string.format('%.0f', ticket), record)
  if waiting == 0 then
    keep(semaphore, waitersKey)
  end
  waiting = waiting + 1
  queuedAny = true
  return { 'queued', ticket }
end

local answers = {}
for i = firstRequest, #requests, 4 do
  answers[#answers + 1] = answer(requests[i], tonumber(requests[i + 1]), tonumber(requests[i + 2]),
    tonumber(requests[i + 3]))
end
if queuedAny then
  redis.call('ZADD', clientsKey, string.format('%.0f', semaphore.nowMs + presenceMs), clientId)
  keep(semaphore, clientsKey)
end

saveSemaphore(semaphore)
local grants = announce(semaphore, told, clientId, channelPrefix, name)
return okReply(semaphore, grants, answers, lookAgainAtMs(semaphore, queuedAny and clientId))
