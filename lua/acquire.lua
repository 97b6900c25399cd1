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

-- The scores that the requests' records have in a key, read in one command: record -> score.
local function scoresIn(key)
  local records, scores = {}, {}
  for i = firstRequest, #requests, 4 do
    records[#records + 1] = requests[i]
  end
  for i, score in ipairs(redis.call('ZMSCORE', key, unpack(records))) do
    scores[records[i]] = tonumber(score)
  end
  return scores
end

-- What is known of the records, and what is to be written, all at once: score, record, ...
local heldUntilMs = semaphore.held > 0 and scoresIn(permitsKey) or {}
local tickets = waiting > 0 and scoresIn(waitersKey) or {}
local newPermits, newWaiters = {}, {}
local isFirstPermit, isFirstWaiter = semaphore.held == 0, waiting == 0

local function add(to, score, record)
  to[#to + 1] = string.format('%.0f', score)
  to[#to + 1] = record
end

local function grant(record, weight, leaseMs)
  local expiresAtMs = semaphore.nowMs + leaseMs
  add(newPermits, expiresAtMs, record)
  heldUntilMs[record] = expiresAtMs
  semaphore.held = semaphore.held + weight
  return { 'granted', drawNumber(semaphore), expiresAtMs }
end

-- A request may come twice: re-sent by the client or by its connection. What was granted or queued before is
-- answered as it stands, and counts once.
local function answer(record, weight, leaseMs, maxWaiting)
  local untilMs = heldUntilMs[record] or 0
  if untilMs > semaphore.nowMs then
    return { 'granted', drawNumber(semaphore), untilMs }
  end
  if untilMs > 0 then -- expired, and not reaped yet
    heldUntilMs[record] = nil
    redis.call('ZREM', permitsKey, record)
    isFirstPermit = true -- it may have been the last, and its key gone with its TTL
    semaphore.held = semaphore.held - weight
  end
  if semaphore.nowMs < semaphore.revokedUntilMs and isRevoked(semaphore, record) then
    return { 'revoked' }
  end
  if waiting == 0 and fits(semaphore, weight) then
    return grant(record, weight, leaseMs)
  end
  local ticket = tickets[record]
  if ticket then
    queuedAny = true
    return { 'queued', ticket }
  end
  if semaphore.limit > 0 and weight > semaphore.limit then
    return { 'impossible', semaphore.limit }
  end
  if maxWaiting >= 0 and waiting >= maxWaiting then
    return { 'full', waiting }
  end
  ticket = drawNumber(semaphore)
  add(newWaiters, ticket, record)
  tickets[record] = ticket
  waiting = waiting + 1
  queuedAny = true
  return { 'queued', ticket }
end

local answers = {}
for i = firstRequest, #requests, 4 do
  answers[#answers + 1] = answer(requests[i], tonumber(requests[i + 1]), tonumber(requests[i + 2]),
    tonumber(requests[i + 3]))
end
if #newPermits > 0 then
  redis.call('ZADD', permitsKey, unpack(newPermits))
  if isFirstPermit then
    keep(semaphore, permitsKey)
  end
end
if #newWaiters > 0 then
  redis.call('ZADD', waitersKey, unpack(newWaiters))
  if isFirstWaiter then
    keep(semaphore, waitersKey)
  end
end
if queuedAny then
  redis.call('ZADD', clientsKey, string.format('%.0f', semaphore.nowMs + presenceMs), clientId)
  keep(semaphore, clientsKey)
end

saveSemaphore(semaphore)
local grants = announce(semaphore, told, clientId, channelPrefix, name)
return okReply(semaphore, grants, answers, lookAgainAtMs(semaphore, queuedAny and clientId))
