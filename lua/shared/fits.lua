-- What a grant needs, asked nowhere else: the semaphore is open and has the units free.
local function fits(semaphore, weight)
  return semaphore.nowMs >= semaphore.openAtMs and semaphore.held + weight <= semaphore.limit
end
