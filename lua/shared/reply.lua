-- The replies that all scripts share:
--   { 'ok', now in µs, epoch, limit, grants, answers, look again at ms or 0, declared limit }
--     grants: what handOff had for the caller's own waiters: record without client id, token, expiry, ...
--     answers: one for each request, as the script says
--   { 'forgotten', now in µs, epoch or 0 }   data was lost; nothing was changed
local function okReply(semaphore, grants, answers, lookAtMs)
  return { 'ok', semaphore.nowUs, semaphore.epoch, semaphore.limit, grants, answers, lookAtMs,
    semaphore.declared }
end

local function forgottenReply(semaphore)
  return { 'forgotten', semaphore.nowUs, semaphore.epoch or 0 }
end
