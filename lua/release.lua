-- Takes records out, wherever they are: a held permit is released, a waiter leaves the line.
--
-- #include shared/arguments
-- ARGV[10...] records  those to take out; at most 500
local records, firstRecord = ARGV, 10
--
-- Reply: as in shared/reply.lua, with an answer for each record: 1 if it was a held permit of the caller and
-- is released, else 0. A permit whose lease has expired is not held, reaped or not.

-- #include shared/clock
-- #include shared/record
-- #include shared/semaphore
-- #include shared/full-redis
-- #include shared/epoch
-- #include shared/enter
-- #include shared/reap
-- #include shared/fits
-- #include shared/hand-off
-- #include shared/announce
-- #include shared/look-again
-- #include shared/reply

local semaphore = openSemaphore(permitsKey, waitersKey, clientsKey, stateKey, seen, presenceMs, retentionMs)
if not enter(semaphore, epoch, limit, bounded) then
  return forgottenReply(semaphore)
end
allowInFullRedis(semaphore)
reap(semaphore)

-- From the line too, whatever the record was last known to be: a cancelled request may have been granted in
-- between, and a late copy of an acquire may have queued a released one again.
local answers = {}
for i = firstRecord, #records do
  local record = records[i]
  local released = 0
  local client, _, weight = readRecord(record)
  if client == clientId then
    -- What is still there after reaping has not expired, unless there was too much to reap.
    local isExpired = semaphore.unfinished
      and tonumber(redis.call('ZSCORE', permitsKey, record) or 0) <= semaphore.nowMs
    if not isExpired and redis.call('ZREM', permitsKey, record) == 1 then
      semaphore.held = semaphore.held - weight
      released = 1
    end
    if semaphore.hasLine then
      redis.call('ZREM', waitersKey, record)
    end
  end
  answers[#answers + 1] = released
end

local told = handOff(semaphore, clientId, presenceMs)
saveSemaphore(semaphore)
local grants = announce(semaphore, told, clientId, channelPrefix, name)
return okReply(semaphore, grants, answers, lookAgainAtMs(semaphore))
