-- Lets the script go on in a Redis that is out of memory: there the first write decides, and this is one that
-- Redis allows. For whatever helps holders and shortens the line; an acquire is refused instead. There is no
-- such field: this is the cheapest write there is, and replicas don't hear of it.
local function allowInFullRedis(semaphore)
  redis.call('HDEL', semaphore.stateKey, 'none')
end
