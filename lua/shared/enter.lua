-- Whether the caller and the data know each other; a semaphore without data is opened for a caller who knows
-- of none. False means that data was lost: the script must change nothing and answer `forgotten`.
local function enter(semaphore, callerEpoch, limit, bounded)
  if isTorn(semaphore) or (callerEpoch ~= 0 and callerEpoch ~= semaphore.epoch) then
    return false
  end
  if not semaphore.epoch then
    beginEpoch(semaphore, limit)
  end
  if bounded == 1 and not semaphore.bounded then
    agree(semaphore, 'bounded', true)
  end
  return true
end
