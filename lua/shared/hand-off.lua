-- Until when a client counts as present, ms.
local function presentUntilMs(semaphore, client)
  local untilMs = tonumber(redis.call('ZSCORE', semaphore.clientsKey, client) or 0)
  if untilMs > 0 and untilMs >= semaphore.graceFromMs then
    untilMs = math.max(untilMs, semaphore.graceUntilMs)
  end
  return untilMs
end

-- Grants to the head of the line while it fits, and never past it: a heavy request at the head waits for its
-- units, and nobody behind overtakes. Waiters whose client is absent, or whose weight can never fit, leave
-- the line on the way; with sweep also when there is no room, so that they don't fill the line of a semaphore
-- that is held for long. At most 500 waiters a call; the next call continues.
--
-- Returns what each client must be told: client id -> { record without client id, fencing token, expiry in
-- ms, ... }, with token 0 for a waiter that was refused because its weight exceeds the limit.
--
-- The lease is short where the client renews anyway: it ends with the client's presence, so that a waiter
-- that died just before its turn costs the rest of a presence time and not a whole lease.
local function handOff(semaphore, callerId, presenceMs, sweep)
  if not semaphore.hasLine then
    return {}
  end
  -- Whoever calls is present, also if it was not heard for long and has only come to release something.
  local told, presence, budget = {}, { [callerId] = semaphore.nowMs + presenceMs }, 500
  local blocked = false
  while not blocked and budget > 0 and (sweep or fits(semaphore, 1)) do
    local size = math.min(sweep and 100 or semaphore.limit - semaphore.held, 100, budget)
    local line = redis.call('ZRANGE', semaphore.waitersKey, '0', size) -- one more, to see whether it ends
    local leaving, permits, isNew = 0, {}, semaphore.held == 0
    for i = 1, math.min(#line, size) do
      if not sweep and not fits(semaphore, 1) then
        break
      end
      local record = line[i]
      local client, weight, leaseMs, firm = readRecord(record)
      presence[client] = presence[client] or presentUntilMs(semaphore, client)
      if presence[client] > semaphore.nowMs then
        local token, expiresAtMs = 0, 0
        if weight <= semaphore.limit or semaphore.limit == 0 then
          if not fits(semaphore, weight) then
            blocked = true
            break
          end
          if not firm then
            leaseMs = math.min(leaseMs, presence[client] - semaphore.nowMs)
          end
          token, expiresAtMs = drawNumber(semaphore), semaphore.nowMs + leaseMs
          semaphore.held = semaphore.held + weight
          semaphore.dueMs = math.min(semaphore.dueMs, expiresAtMs)
          permits[#permits + 1] = expiresAtMs
          permits[#permits + 1] = record
        end
        if token == 0 then
          note(semaphore, 'refusedAtMs', semaphore.nowMs)
        end
        tell(told, client, record, token, expiresAtMs)
      end
      leaving = leaving + 1
    end
    if leaving > 0 then
      redis.call('ZREMRANGEBYRANK', semaphore.waitersKey, '0', leaving - 1)
    end
    if #permits > 0 then
      redis.call('ZADD', semaphore.permitsKey, unpack(permits))
      if isNew then
        keep(semaphore, semaphore.permitsKey)
      end
    end
    semaphore.hasLine = leaving < #line
    blocked = blocked or #line <= size
    budget = budget - leaving
  end
  semaphore.unfinished = semaphore.unfinished or (budget <= 0 and not blocked)
  return told
end
