-- Sets the limit for everyone, or adds one unit to it. More units serve waiters at once; fewer take nothing
-- away from holders: the semaphore drains.
--
-- #include shared/arguments
-- ARGV[3] newLimit  integer: the limit from now on; -1 to add one unit instead
-- ARGV[4] marker    string: remembered in clientsKey, so that a unit is added once although the call may
--                    come twice; empty when a limit is set
-- ARGV[5] memoryMs  integer: for how long it is remembered
local newLimit, marker, memoryMs = tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
--
-- Reply: as in shared/reply.lua, with one answer: 1 if done (now or by an earlier copy of the call), 0 if a
-- unit was to be added and a bounded handle exists.

-- #include shared/clock
-- #include shared/caller
-- #include shared/numbers
-- #include shared/record
-- #include shared/semaphore
-- #include shared/full-redis
-- #include shared/epoch
-- #include shared/enter
-- #include shared/reap
-- #include shared/fits
-- #include shared/announce
-- #include shared/hand-off
-- #include shared/look-again
-- #include shared/reply

local semaphore = openSemaphore(permitsKey, waitersKey, clientsKey, stateKey, serverTimeUs(), seen,
  presenceMs, retentionMs)
if not enter(semaphore, epoch, limit, bounded) then
  return forgottenReply(semaphore)
end
allowInFullRedis(semaphore)
reap(semaphore)

local done = 1
if newLimit >= 0 then
  agree(semaphore, 'limit', newLimit)
elseif semaphore.bounded then
  done = 0
else
  if redis.call('ZADD', clientsKey, 'NX', semaphore.nowMs + memoryMs, marker) == 1 then
    agree(semaphore, 'limit', semaphore.limit + 1)
    keep(semaphore, clientsKey)
  end
end

local told = handOff(semaphore, clientId, presenceMs)
saveSemaphore(semaphore)
local grants = announce(semaphore, told, clientId, channelPrefix, name)
return okReply(semaphore, grants, { done }, lookAgainAtMs(semaphore))
