-- Whom a hand-off would serve on the straight way, if it has so many units to give: those at the head of the
-- line until the last unit is taken or the line ends. Reads only. Nil where more has to be judged than that,
-- by handOff: a head that is absent, one that does not fit, more units than 100, a client that is lost.
--
-- The caller counts as present, as it does there. Returns
--   permits   what will be written: expiry in ms, record, ...
--   clients   whose these are
--   weight    units, of all
--   endsAtMs  when the first of these leases ends
--   isAll     whether nobody is left in line
local function nextInLine(waitersKey, clientsKey, units, nowMs, callerId, callerPresenceMs)
  if units < 1 or units > 100 then
    return nil
  end
  -- One more than can be served, to see whether the line ends.
  local line = redis.call('ZRANGE', waitersKey, '0', units)
  local permits, clients, weight, endsAtMs = {}, {}, 0, math.huge
  local presence = {}
  for i = 1, #line do
    if weight == units then
      break
    end
    local client, ownWeight, leaseMs, firm = readRecord(line[i])
    local untilMs = presence[client]
    if not untilMs then
      untilMs = tonumber(redis.call('ZSCORE', clientsKey, client) or 0)
      if client == callerId and untilMs > 0 then
        untilMs = nowMs + callerPresenceMs
      end
      presence[client] = untilMs
    end
    weight = weight + ownWeight
    if untilMs <= nowMs or weight > units then
      return nil
    end
    local expiresAtMs = firm and nowMs + leaseMs or math.min(nowMs + leaseMs, untilMs)
    endsAtMs = math.min(endsAtMs, expiresAtMs)
    permits[2 * i - 1], permits[2 * i], clients[i] = expiresAtMs, line[i], client
  end
  if #clients == 0 then
    return nil -- the line is lost
  end
  return {
    permits = permits, clients = clients, weight = weight, endsAtMs = endsAtMs, isAll = #clients == #line,
  }
end
