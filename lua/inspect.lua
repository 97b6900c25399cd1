-- A snapshot of one semaphore. Reads only.
--
-- KEYS[1] permitsKey       sorted set: record -> lease expiry, ms of the server's clock
-- KEYS[2] waitersKey       sorted set: record -> ticket, the line in order
-- KEYS[3] stateKey         hash: the semaphore's own numbers (shared/semaphore.lua)
-- ARGV[1] firstHolder      integer: how many holders to skip
-- ARGV[2] holderCount      integer: how many to list
-- ARGV[3] firstWaiter      integer: how many waiters to skip
-- ARGV[4] waiterCount      integer: how many to list
local permitsKey, waitersKey, stateKey = KEYS[1], KEYS[2], KEYS[3]
local firstHolder, holderCount = tonumber(ARGV[1]), tonumber(ARGV[2])
local firstWaiter, waiterCount = tonumber(ARGV[3]), tonumber(ARGV[4])
--
-- Reply: { now in ms, limit or -1 when there is no such semaphore, declared limit, units held, holding,
--   waiting, epoch, [record, expiry in ms, ...] by expiry, [record, ticket, ...] in line,
--   now in µs, ticket at the head of the line or 0 }
-- Units held and holding leave out expired permits; of those not reaped yet, at most 1,000 are looked at.

-- #include shared/clock
-- #include shared/numbers
-- #include shared/record

local state = redis.call('HMGET', stateKey, 'numbers', 'rare')
local epoch, limit, declared, held, lastMs, skewUs, _ = 0, -1, -1, 0, 0, 0, nil
if state[1] then
  _, epoch, limit, declared, held, _, lastMs = struct.unpack(numbersFormat, state[1])
end
if state[2] then
  skewUs = struct.unpack(rareFormat, state[2])
end
local nowUs = serverTimeUs() + skewUs
local nowMs = math.max(math.floor(nowUs / 1000), lastMs)

for _, record in ipairs(redis.call('ZRANGEBYSCORE', permitsKey, '-inf', nowMs, 'LIMIT', 0, 1000)) do
  local _, weight = readRecord(record)
  held = held - weight
end
-- By rank, so that a page costs what it returns, wherever it is.
local function page(key, first, count)
  return count > 0 and redis.call('ZRANGE', key, first, first + count - 1, 'WITHSCORES') or {}
end

local expired = redis.call('ZCOUNT', permitsKey, '-inf', nowMs)
return {
  nowMs, limit, declared, held,
  redis.call('ZCARD', permitsKey) - expired, redis.call('ZCARD', waitersKey), epoch,
  page(permitsKey, expired + firstHolder, holderCount), page(waitersKey, firstWaiter, waiterCount),
  nowUs, tonumber(redis.call('ZRANGE', waitersKey, 0, 0, 'WITHSCORES')[2] or 0),
}
