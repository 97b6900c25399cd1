-- What every script that changes something is told.
--
-- KEYS[1] permitsKey     sorted set: record -> lease expiry, ms of the server's clock
-- KEYS[2] waitersKey     sorted set: record -> ticket, the line in order
-- KEYS[3] clientsKey     sorted set: client id -> present until, ms; clients that wait. And markers of
--                        added units, and revoked records -> remembered until, ms
-- KEYS[4] stateKey       hash: the semaphore's own numbers (shared/semaphore.lua)
-- One more comes with them that never exists and is never looked at (absentKeyOf in src/redis/keys.ts):
-- for it, a Cluster refuses the whole script while the slot moves.
-- ARGV[1] epoch          integer: the epoch that the caller knows, 0 for none
-- ARGV[2] seen           integer: the highest number of this semaphore that the caller has seen
-- ARGV[3] clientId       string: the caller, the first field of its records
-- ARGV[4] presenceMs     integer: how long the caller counts as present after a sign of life
-- ARGV[5] retentionMs    integer: TTL of the four keys
-- ARGV[6] channelPrefix  string: messages for a client go to channelPrefix:clientId
-- ARGV[7] name           string: the semaphore, as messages name it
-- ARGV[8] limit          integer: the limit if this call is the first to speak of the semaphore
-- ARGV[9] bounded        0 or 1: whether the caller has a bounded handle of it
local permitsKey, waitersKey, clientsKey, stateKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local epoch, seen, clientId = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local presenceMs, retentionMs = tonumber(ARGV[4]), tonumber(ARGV[5])
local channelPrefix, name = ARGV[6], ARGV[7]
local limit, bounded = tonumber(ARGV[8]), ARGV[9]
