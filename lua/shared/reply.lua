-- The replies that all scripts share, flat, since each table in a reply costs more than ten of its numbers:
--   { 'ok', now in µs, epoch, limit, declared limit, terms, look again at ms or 0, length of the answers,
--     answers ..., grants ... }
--     answers: for each request, as the script says
--     grants: what handOff had for the caller's own waiters: record without client id, token, expiry, ...
--   { 'forgotten', now in µs, epoch or 0 }   data was lost; nothing was changed
local function okReply(semaphore, grants, answers, lookAtMs)
  local reply = { 'ok', semaphore.nowUs, semaphore.epoch, semaphore.limit, semaphore.declared,
    semaphore.terms, lookAtMs, #answers, unpack(answers) }
  for i = 1, #grants do
    reply[#reply + 1] = grants[i]
  end
  return reply
end

local function forgottenReply(semaphore)
  return { 'forgotten', semaphore.nowUs, semaphore.epoch or 0 }
end
