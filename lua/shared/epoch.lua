-- Begins a new epoch: one unbroken life of the data, with this limit.
local function beginEpoch(semaphore, limit)
  agree(semaphore, 'epoch', drawNumber(semaphore))
  agree(semaphore, 'limit', limit)
  agree(semaphore, 'declared', limit)
end

-- Whether the data contradicts itself: a key was evicted, deleted by hand, or comes from another time.
local function isTorn(semaphore)
  if semaphore.epoch then
    return (semaphore.held > 0 and not semaphore.hasPermits) or not semaphore.hasClients
  end
  return semaphore.hasPermits or semaphore.hasLine
end
