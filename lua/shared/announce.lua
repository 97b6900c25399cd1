-- Tells each client what it was granted, one message each, as JSON: [name, epoch, now in µs, limit, [what
-- handOff returned for it]]. The caller's own part is not sent but returned, to travel in the reply.
-- Comes after all writes, in pcall: a missing right to publish must not tear the script in two, and a message
-- is only a hint; a client that misses it finds its grant at its next beat.
local function announce(semaphore, told, clientId, channelPrefix, name)
  for client, news in pairs(told) do
    if client ~= clientId then
      local grants = {}
      for i = 1, #news, 3 do
        grants[#grants + 1] = string.format('"%s",%.0f,%.0f', news[i], news[i + 1], news[i + 2])
      end
      redis.pcall('PUBLISH', channelPrefix .. ':' .. client, string.format('[%s,%.0f,%.0f,%.0f,[%s]]',
        cjson.encode(name), semaphore.epoch, semaphore.nowUs, semaphore.limit, table.concat(grants, ',')))
    end
  end
  return told[clientId] or {}
end
