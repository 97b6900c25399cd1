-- Lets the script go on in a Redis that is out of memory: there the first write decides, and this is one that
-- Redis allows. For whatever helps holders and shortens the line; an acquire is refused instead.
local function allowInFullRedis(semaphore)
  redis.call('PEXPIRE', semaphore.stateKey, semaphore.retentionMs)
end
