-- The semaphore as a table, read once at the start of a script and saved once at its end. Its numbers:
--   epoch         one unbroken life of the data; nil when there is none
--   limit         units, in force now;  declared: the limit that the first handle named
--   held          units granted, those of expired permits included until they are reaped
--   seq           the last number drawn for a ticket, a fencing token or an epoch
--   lastMs        the time of the last script
--   skewUs        what is added to the server's TIME: when that was set back, ours goes on from lastMs
--                 at its own pace, and neither runs back nor stands still
--   openAtMs      after a loss of data: nothing is granted before
--   graceFromMs, graceUntilMs, graceSinceMs   after a silence: who was present at the first counts as present
--                 until the second; the third says when that began
--   retentionMs   the longest TTL that was asked for
--   freshAtMs     when all four keys last got their TTL
--   bounded       1 when a bounded handle exists
--   refusedAtMs   when a waiter was last refused because its weight exceeds the limit
--   revokedUntilMs   until when any record is remembered as revoked
--   rare          1 once one of the numbers in rareNumbers was written: most semaphores never have any, and
--                 are not searched for them
local rareNumbers = { skewUs = true, openAtMs = true, graceFromMs = true, graceUntilMs = true,
  graceSinceMs = true, bounded = true, refusedAtMs = true, revokedUntilMs = true }

local function openSemaphore(permitsKey, waitersKey, clientsKey, stateKey, seen, presenceMs, retentionMs)
  local state = redis.call('HMGET', stateKey, 'epoch', 'limit', 'declared', 'held', 'seq', 'lastMs',
    'retentionMs', 'freshAtMs', 'rare')
  local rare = state[9] and redis.call('HMGET', stateKey, 'skewUs', 'openAtMs', 'graceFromMs', 'graceUntilMs',
    'graceSinceMs', 'bounded', 'refusedAtMs', 'revokedUntilMs') or {}
  local semaphore = {
    permitsKey = permitsKey, waitersKey = waitersKey, clientsKey = clientsKey, stateKey = stateKey,
    epoch = tonumber(state[1]),
    limit = tonumber(state[2]),
    declared = tonumber(state[3]),
    held = tonumber(state[4]) or 0,
    seq = math.max(tonumber(state[5]) or 0, seen),
    retentionMs = math.max(tonumber(state[7]) or 0, retentionMs),
    freshAtMs = tonumber(state[8]) or 0,
    skewUs = tonumber(rare[1] or 0),
    openAtMs = tonumber(rare[2] or 0),
    graceFromMs = tonumber(rare[3] or 0),
    graceUntilMs = tonumber(rare[4] or 0),
    graceSinceMs = tonumber(rare[5] or 0),
    bounded = rare[6] == '1',
    refusedAtMs = tonumber(rare[7] or 0),
    revokedUntilMs = tonumber(rare[8] or 0),
    isRare = not not state[9],
    changes = {},
  }
  local set
  function set(field, value)
    semaphore[field] = value
    local changes = semaphore.changes
    changes[#changes + 1] = field
    changes[#changes + 1] = string.format('%.0f', value)
    if rareNumbers[field] and not semaphore.isRare then
      semaphore.isRare = true
      set('rare', 1)
    end
  end
  semaphore.set = set

  local lastMs = tonumber(state[6]) or 0
  local nowUs = serverTimeUs() + semaphore.skewUs
  if nowUs < lastMs * 1000 then
    set('skewUs', semaphore.skewUs + lastMs * 1000 - nowUs)
    nowUs = lastMs * 1000
  end
  semaphore.nowUs = nowUs
  semaphore.nowMs = math.floor(nowUs / 1000)

  -- Nobody was heard for so long that Redis or the network may have been away: whoever was present at the
  -- last script gets a whole presence time to come back, before its waiters count as abandoned. If Redis was
  -- away again before that was over, everyone gets it anew, for three presence times at most: rare callers
  -- are no reason to keep waiters of the dead.
  if lastMs > 0 and semaphore.nowMs - lastMs > presenceMs / 2 then
    if lastMs >= semaphore.graceUntilMs or lastMs - semaphore.graceSinceMs > 3 * presenceMs then
      set('graceFromMs', lastMs)
      set('graceSinceMs', semaphore.nowMs)
    end
    set('graceUntilMs', semaphore.nowMs + presenceMs)
  end
  if semaphore.retentionMs > (tonumber(state[7]) or 0) then
    set('retentionMs', semaphore.retentionMs)
    semaphore.freshAtMs = 0
  end

  local mayHavePermits = semaphore.held > 0 or not semaphore.epoch
  semaphore.hasPermits = mayHavePermits and redis.call('EXISTS', permitsKey) == 1
  semaphore.hasLine = redis.call('EXISTS', waitersKey) == 1
  semaphore.hasClients = not semaphore.hasLine or redis.call('EXISTS', clientsKey) == 1
  return semaphore
end

-- The next number of the one line from which tickets, fencing tokens and epochs are drawn: higher than all
-- before and than all that the caller has seen, and not below the time: it rises after a loss of data too.
local function drawNumber(semaphore)
  semaphore.seq = math.max(semaphore.seq + 1, semaphore.nowUs)
  return semaphore.seq
end

-- Gives a key its TTL: an eighth more than retentionMs, so that it need not be given anew by every script.
-- Whoever creates a key calls this; after that, saveSemaphore keeps it.
local function keep(semaphore, key)
  redis.call('PEXPIRE', key, math.ceil(semaphore.retentionMs * 9 / 8))
end

-- Writes the numbers back. All four keys get their TTL anew here when an eighth of retentionMs has passed, so
-- that there is always at least retentionMs left.
local function saveSemaphore(semaphore)
  local isStale = semaphore.nowMs - semaphore.freshAtMs >= semaphore.retentionMs / 8
  if isStale then
    semaphore.set('freshAtMs', semaphore.nowMs)
  end
  redis.call('HSET', semaphore.stateKey, 'held', semaphore.held, 'seq', string.format('%.0f', semaphore.seq),
    'lastMs', string.format('%.0f', semaphore.nowMs), unpack(semaphore.changes))
  if isStale then
    keep(semaphore, semaphore.stateKey)
    keep(semaphore, semaphore.permitsKey)
    keep(semaphore, semaphore.waitersKey)
    keep(semaphore, semaphore.clientsKey)
  end
end
