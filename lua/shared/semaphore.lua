-- The semaphore as a table, read once at the start of a script and saved once at its end: its numbers, and
--   nowUs, nowMs  the time of this script
--   hasPermits, hasLine, hasClients   whether these keys are there
--   isDue         permits may have expired, or keys need a new TTL
--   unfinished    there was more to reap or hand off than one call may
local function openSemaphore(permitsKey, waitersKey, clientsKey, stateKey, timeUs, seen, presenceMs,
  retentionMs)
  local numbers = redis.call('HGET', stateKey, 'numbers')
  local terms, epoch, limit, declared, held, seq, lastMs, dueMs, keptMs, leastPresenceMs, freshAtMs
  local isRare, _
  if numbers then
    terms, epoch, limit, declared, held, seq, lastMs, dueMs, keptMs, leastPresenceMs, freshAtMs, _, _,
      isRare = struct.unpack(numbersFormat, numbers)
  else
    terms, held, seq, lastMs, dueMs, keptMs, leastPresenceMs, freshAtMs, isRare =
      0, 0, 0, 0, 0, 0, math.huge, 0, 0
  end
  local skewUs, openAtMs, graceFromMs, graceUntilMs, graceSinceMs, refusedAtMs, revokedUntilMs, isBounded =
    0, 0, 0, 0, 0, 0, 0, 0
  if isRare == 1 then
    skewUs, openAtMs, graceFromMs, graceUntilMs, graceSinceMs, refusedAtMs, revokedUntilMs, isBounded =
      struct.unpack(rareFormat, redis.call('HGET', stateKey, 'rare'))
  end

  local isRareNew, isTermsNew = false, false
  local nowUs = timeUs + skewUs
  if nowUs < lastMs * 1000 then
    skewUs = skewUs + lastMs * 1000 - nowUs
    nowUs = lastMs * 1000
    isRareNew = true
  end
  local nowMs = math.floor(nowUs / 1000)

  -- Nobody was heard for so long that Redis or the network may have been away: whoever was present at the
  -- last script gets a whole presence time to come back, before its waiters count as abandoned. If Redis was
  -- away again before that was over, everyone gets it anew, for three presence times at most: rare callers
  -- are no reason to keep waiters of the dead.
  if lastMs > 0 and nowMs - lastMs > presenceMs / 2 then
    if lastMs >= graceUntilMs or lastMs - graceSinceMs > 3 * presenceMs then
      graceFromMs, graceSinceMs = lastMs, nowMs
    end
    graceUntilMs = nowMs + presenceMs
    isRareNew = true
  end
  if retentionMs > keptMs then
    keptMs, freshAtMs, dueMs = retentionMs, 0, 0
    isTermsNew = true
  end
  if presenceMs < leastPresenceMs then
    leastPresenceMs = presenceMs
    isTermsNew = true
  end

  local hasLine = redis.call('EXISTS', waitersKey) == 1
  return {
    permitsKey = permitsKey, waitersKey = waitersKey, clientsKey = clientsKey, stateKey = stateKey,
    terms = terms, epoch = epoch, limit = limit, declared = declared, held = held,
    seq = math.max(seq, seen), dueMs = dueMs,
    retentionMs = keptMs, presenceMs = leastPresenceMs, freshAtMs = freshAtMs,
    skewUs = skewUs, openAtMs = openAtMs,
    graceFromMs = graceFromMs, graceUntilMs = graceUntilMs, graceSinceMs = graceSinceMs,
    refusedAtMs = refusedAtMs, revokedUntilMs = revokedUntilMs, bounded = isBounded == 1,
    isRare = isRare, isRareNew = isRareNew, isTermsNew = isTermsNew,
    nowUs = nowUs, nowMs = nowMs, isDue = nowMs >= dueMs, unfinished = false,
    hasPermits = (held > 0 or not epoch) and redis.call('EXISTS', permitsKey) == 1,
    hasLine = hasLine,
    hasClients = not hasLine or redis.call('EXISTS', clientsKey) == 1,
  }
end

-- The next number of the one line from which tickets, fencing tokens and epochs are drawn: higher than all
-- before and than all that the caller has seen, and not below the time: it rises after a loss of data too.
local function drawNumber(semaphore)
  semaphore.seq = math.max(semaphore.seq + 1, semaphore.nowUs)
  return semaphore.seq
end

-- Changes one of the terms.
local function agree(semaphore, term, value)
  semaphore[term] = value
  semaphore.isTermsNew = true
  semaphore.isRareNew = semaphore.isRareNew or term == 'bounded'
end

-- Changes one of the rare numbers.
local function note(semaphore, rareNumber, value)
  semaphore[rareNumber] = value
  semaphore.isRareNew = true
end

-- Gives a key its TTL: an eighth more than retentionMs, so that it need not be given anew by every script.
-- Whoever creates a key calls this; after that, saveSemaphore keeps it.
local function keep(semaphore, key)
  redis.call('PEXPIRE', key, math.ceil(semaphore.retentionMs * 9 / 8))
end

-- Writes the numbers back. All four keys get their TTL anew here when an eighth of retentionMs has passed, so
-- that there is always at least retentionMs left.
local function saveSemaphore(semaphore)
  local nowMs = semaphore.nowMs
  local isStale = false
  if semaphore.isDue then
    isStale = nowMs - semaphore.freshAtMs >= semaphore.retentionMs / 8
    if isStale then
      semaphore.freshAtMs = nowMs
    end
    local first = redis.call('ZRANGE', semaphore.permitsKey, '0', '0', 'WITHSCORES')[2]
    local staleAtMs = semaphore.freshAtMs + semaphore.retentionMs / 8
    semaphore.dueMs = first and math.min(tonumber(first), staleAtMs) or staleAtMs
  end
  if semaphore.isTermsNew then
    semaphore.terms = math.max(semaphore.terms + 1, semaphore.nowUs)
  end
  local isCalm = semaphore.skewUs == 0 and nowMs >= semaphore.openAtMs
    and nowMs >= semaphore.revokedUntilMs and (not semaphore.hasLine or nowMs >= semaphore.graceUntilMs)
  if semaphore.isRareNew then
    semaphore.isRare = 1
    redis.call('HSET', semaphore.stateKey, 'rare', struct.pack(rareFormat, semaphore.skewUs,
      semaphore.openAtMs, semaphore.graceFromMs, semaphore.graceUntilMs, semaphore.graceSinceMs,
      semaphore.refusedAtMs, semaphore.revokedUntilMs, semaphore.bounded and 1 or 0))
  end
  redis.call('HSET', semaphore.stateKey, 'numbers', struct.pack(numbersFormat, semaphore.terms,
    semaphore.epoch, semaphore.limit, semaphore.declared, semaphore.held, semaphore.seq, nowMs,
    semaphore.dueMs, semaphore.retentionMs, semaphore.presenceMs, semaphore.freshAtMs,
    semaphore.hasLine and 1 or 0, isCalm and 1 or 0, semaphore.isRare))
  if isStale then
    keep(semaphore, semaphore.stateKey)
    keep(semaphore, semaphore.clientsKey)
    if semaphore.held > 0 then
      keep(semaphore, semaphore.permitsKey)
    end
    if semaphore.hasLine then
      keep(semaphore, semaphore.waitersKey)
    end
  end
end
