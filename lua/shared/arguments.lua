-- What every script that changes something is told.
--
-- KEYS[1] permitsKey     sorted set: record -> lease expiry, ms of the server's clock
-- KEYS[2] waitersKey     sorted set: record -> ticket, the line in order
-- KEYS[3] clientsKey     sorted set: client id -> present until, ms; clients that wait. And markers of
--                        added units, and revoked records -> remembered until, ms
-- KEYS[4] stateKey       hash: the semaphore's own numbers (shared/numbers.lua)
-- One more comes with them that never exists and is never looked at (absentKeyOf in src/redis/keys.ts):
-- for it, a Cluster refuses the whole script while the slot moves.
-- ARGV[1] seen           integer: the highest number of this semaphore that the caller has seen
-- ARGV[2] callerText     string: what seldom changes, a line each (shared/caller.lua)
local permitsKey, waitersKey, clientsKey, stateKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local seen, callerText = ARGV[1] + 0, ARGV[2]
