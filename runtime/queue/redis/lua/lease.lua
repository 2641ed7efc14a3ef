-- Leases heads of ready keys of several lanes, highest priority first, oldest
-- first within a priority.
--
-- KEYS[1]   prefix of the shard
-- ARGV[1]   mark of the store
-- ARGV[2]   session of the caller; ARGV[3] number of this lease call
-- ARGV[4]   1: remember this call even when it grants nothing, so that a late
--           arrival of the same call is known
-- then      triples: lane, how many at most, how long in microseconds
--
-- Output    per triple: a list of job ID, job record, epoch, ... (three each).
--           The last call of a session again gets the same answer. The error
--           CDLATE: a later call of the session has come before.

local session = P .. K.session .. ARGV[2]
local last = call('HMGET', session, 'lease', 'leased')
if last[1] == ARGV[3] then return cmsgpack.unpack(last[2]) end
if tonumber(last[1] or 0) > tonumber(ARGV[3]) then
  return redis.error_reply('CDLATE the call came too late')
end

local now = clock()
local out, given = {}, 0
local epoch = math.max(now, tonumber(call('GET', P .. K.epoch) or 0) + 1)
local epochs, leases = {}, {}
for i = 5, #ARGV, 3 do
  local lane, list = ARGV[i], {}
  local popped = call('ZPOPMIN', P .. K.ready .. lane, ARGV[i + 1])
  local n = #popped / 2
  if n > 0 then
    local ids = {}
    for j = 1, n do ids[j] = popped[2 * j - 1] end
    local recs = call('HMGET', kJobs, unpack(ids))
    local deadline = fmt('%.0f', now + tonumber(ARGV[i + 2]))
    local got = 0
    for j = 1, n do
      if recs[j] then -- a head without a record is damage: skipped, never leased
        local e, id = fmt('%.0f', epoch), ids[j]
        epoch = epoch + 1
        epochs[#epochs + 1] = id
        epochs[#epochs + 1] = e
        leases[#leases + 1] = deadline
        leases[#leases + 1] = id
        list[3 * got + 1], list[3 * got + 2], list[3 * got + 3] = id, recs[j], e
        got = got + 1
      end
    end
    count('r', lane, -n)
    count('l', lane, got)
    given = given + got
  end
  out[#out + 1] = list
end
if given > 0 then
  call('SET', P .. K.epoch, fmt('%.0f', epoch))
  many('HSET', kEpochs, epochs)
  many('ZADD', kLeases, leases)
  flush()
end
if given > 0 or ARGV[4] == '1' then
  call('HSET', session, 'lease', ARGV[3], 'leased', cmsgpack.pack(out))
  call('EXPIRE', session, 86400)
end
return out
