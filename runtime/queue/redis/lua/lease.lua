-- Leases heads of ready keys of several lanes, highest priority first, oldest
-- first within a priority. Where more are ready than wanted, the priorities
-- take turns, as queue.Turn says.
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

local TURNS = { 0, 1, 0, 2, 0, 1, 0, 3, 0, 1, 0, 2, 0, 1, 0 }

-- share takes up to max ready heads of several priorities by turns.
local function share(key, lane, max)
  local left, take, total = {}, { [0] = 0, 0, 0, 0 }, 0
  for p = 0, 3 do
    left[p] = call('ZCOUNT', key, fmt('%.0f', p * LEVEL), fmt('(%.0f', (p + 1) * LEVEL))
    total = total + left[p]
  end
  local turn = tonumber(call('HGET', P .. K.turns, lane) or 0)
  for _ = 1, math.min(max, total) do
    local p = TURNS[turn % #TURNS + 1]
    turn = turn + 1
    if left[p] == 0 then
      p = 0
      while left[p] == 0 do p = p + 1 end
    end
    left[p], take[p] = left[p] - 1, take[p] + 1
  end
  call('HSET', P .. K.turns, lane, turn % #TURNS)
  local ids = {}
  for p = 0, 3 do
    if take[p] > 0 then
      local part = call('ZRANGEBYSCORE', key, fmt('%.0f', p * LEVEL), fmt('(%.0f', (p + 1) * LEVEL), 'LIMIT', 0, take[p])
      call('ZREM', key, unpack(part))
      for j = 1, #part do ids[#ids + 1] = part[j] end
    end
  end
  return ids
end

-- pop takes up to max ready heads of a lane.
local function pop(lane, max)
  local key = P .. K.ready .. lane
  local first = call('ZRANGE', key, 0, 0, 'WITHSCORES')
  if #first == 0 then return {} end
  local last = call('ZRANGE', key, -1, -1, 'WITHSCORES')
  if math.floor(first[2] / LEVEL) ~= math.floor(last[2] / LEVEL) and call('ZCARD', key) > max then
    return share(key, lane, max)
  end
  local popped, ids = call('ZPOPMIN', key, max), {}
  for j = 1, #popped / 2 do ids[j] = popped[2 * j - 1] end
  return ids
end

local now = clock()
local out, given = {}, 0
local epoch = math.max(now, tonumber(call('GET', P .. K.epoch) or 0) + 1)
local epochs, leases = {}, {}
for i = 5, #ARGV, 3 do
  local lane, list = ARGV[i], {}
  local ids = pop(lane, tonumber(ARGV[i + 1]))
  local n = #ids
  if n > 0 then
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
