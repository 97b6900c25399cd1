-- A record is clientId/requestNo/weight/leaseMs, the member of both permits and waiters. leaseMs is the
-- lease that a hand-off gives; with a ! behind it nobody renews it, so it must be given in full.
local function readRecord(record)
  local client, weight, leaseMs, firm = string.match(record, '^(.*)/%d+/(%d+)/(%d+)(!?)$')
  return client, tonumber(weight), tonumber(leaseMs), firm == '!'
end
