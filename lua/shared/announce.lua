-- Notes what a client must be told of one of its records. With token 0 it was refused, or taken away.
local function tell(told, client, record, token, timeMs)
  local news = told[client] or {}
  told[client] = news
  local at = #news
  news[at + 1], news[at + 2], news[at + 3] = string.sub(record, #client + 2), token, timeMs
end

-- Publishes in pcall: a missing right to it must not tear the script in two. True if somebody heard it here;
-- on a Cluster, others may hear it at other nodes.
local function publish(command, channel, message)
  local heard = redis.pcall(command, channel, message)
  return type(heard) == 'number' and heard > 0
end

-- How a grant and a message are written as JSON. %d is three times quicker than %.0f, but it says all digits
-- of our numbers only where a C long has 64 bits.
local function messageFormats()
  if string.format('%d', 2 ^ 53) == '9007199254740992' then
    return '"%s",%d,%d', '[%s,%d,%d,%d,[%s]]'
  end
  return '"%s",%.0f,%.0f', '[%s,%.0f,%.0f,%.0f,[%s]]'
end

-- Tells each client what it was granted, one message each, as JSON: [name, epoch, now in µs, limit, [what
-- handOff returned for it]]. The caller's own part is not sent but returned, to travel in the reply.
-- Comes after all writes. A message is only a hint; a client that misses it finds its grant at its next beat.
--
-- A client whose id ends in + is on a Cluster and listens inside the semaphore's slot: a message on its shard
-- channel does not travel through all nodes. Where nobody hears that one (its subscriber is at another node,
-- or the server has no shard channels) the message goes the usual way.
local function announce(semaphore, told, clientId, channelPrefix, name)
  for client, news in pairs(told) do
    if client ~= clientId then
      local grantFormat, messageFormat = messageFormats()
      local grants = {}
      for i = 1, #news, 3 do
        grants[#grants + 1] = string.format(grantFormat, news[i], news[i + 1], news[i + 2])
      end
      local message = string.format(messageFormat, name, semaphore.epoch, semaphore.nowUs, semaphore.limit,
        table.concat(grants, ','))
      local heard = string.sub(client, -1) == '+'
        and publish('SPUBLISH', string.sub(semaphore.stateKey, 1, -1 - #'state') .. client, message)
      if not heard then
        publish('PUBLISH', channelPrefix .. ':' .. client, message)
      end
    end
  end
  return told[clientId] or {}
end
