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
--   bounded       1 when a bounded handle exists
--   refusedAtMs   when a waiter was last refused because its weight exceeds the limit
--   revokedUntilMs   until when any record is remembered as revoked
local function openSemaphore(permitsKey, waitersKey, clientsKey, stateKey, seen, presenceMs, retentionMs)
  local state = redis.call('HMGET', stateKey, 'epoch', 'limit', 'declared', 'held', 'seq', 'lastMs', 'skewUs',
    'openAtMs', 'graceFromMs', 'graceUntilMs', 'retentionMs', 'bounded', 'refusedAtMs',
    'graceSinceMs', 'revokedUntilMs')
  local semaphore = {
    permitsKey = permitsKey, waitersKey = waitersKey, clientsKey = clientsKey, stateKey = stateKey,
    epoch = tonumber(state[1]),
    limit = tonumber(state[2]),
    declared = tonumber(state[3]),
    held = tonumber(state[4]) or 0,
    seq = math.max(tonumber(state[5]) or 0, seen),
    skewUs = tonumber(state[7]) or 0,
    openAtMs = tonumber(state[8]) or 0,
    graceFromMs = tonumber(state[9]) or 0,
    graceUntilMs = tonumber(state[10]) or 0,
    retentionMs = math.max(tonumber(state[11]) or 0, retentionMs),
    bounded = state[12] == '1',
    refusedAtMs = tonumber(state[13]) or 0,
    graceSinceMs = tonumber(state[14]) or 0,
    revokedUntilMs = tonumber(state[15]) or 0,
    changes = {},
  }
  local function set(field, value)
    semaphore[field] = value
    local changes = semaphore.changes
    changes[#changes + 1] = field
    changes[#changes + 1] = string.format('%.0f', value)
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
  if semaphore.retentionMs > (tonumber(state[11]) or 0) then
    set('retentionMs', semaphore.retentionMs)
  end

  semaphore.hasPermits = redis.call('EXISTS', permitsKey) == 1
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

-- Writes the numbers back. All four keys get their TTL here, those that this script created included.
local function saveSemaphore(semaphore)
  redis.call('HSET', semaphore.stateKey, 'held', semaphore.held, 'seq', string.format('%.0f', semaphore.seq),
    'lastMs', string.format('%.0f', semaphore.nowMs), unpack(semaphore.changes))
  redis.call('PEXPIRE', semaphore.stateKey, semaphore.retentionMs)
  redis.call('PEXPIRE', semaphore.permitsKey, semaphore.retentionMs)
  redis.call('PEXPIRE', semaphore.waitersKey, semaphore.retentionMs)
  redis.call('PEXPIRE', semaphore.clientsKey, semaphore.retentionMs)
end
