-- Makes due jobs ready and returns jobs of expired leases to the head of their
-- key, a bounded number of each.
--
-- KEYS[1]   prefix of the shard
-- ARGV[1]   mark of the store
-- ARGV[2]   microseconds that the caller's time is ahead of now (0 in service)
-- ARGV[3]   how many jobs at most, of each sort
--
-- Output    due, expired, microseconds until something is due or expires (-1:
--           nothing known), then the lanes that got work

local now = clock() + tonumber(ARGV[2])
local due = call('ZRANGEBYSCORE', kDue, '-inf', fmt('%.0f', now), 'LIMIT', 0, ARGV[3])
for i = 1, #due do
  local id = due[i]
  local rec = job(id)
  if rec then
    local state, pri, seq, enq, _, att, cr, bv = unpackb(HEAD, rec)
    local lane, key = tail(rec)
    if state == PARKED then
      local _, _, _, reason = extra(id)
      call('HDEL', kExtra, id)
      count('p' .. reason .. '\0', lane, -1)
    else
      count('d', lane, -1)
    end
    save(id, pack(HEAD, READY, pri, seq, enq, 0, att, cr, bv) .. sub(rec, 33))
    rouse(lane, key, id, pri, seq)
  else
    call('ZREM', kDue, id)
  end
end

local gone = call('ZRANGEBYSCORE', kLeases, '-inf', '(' .. fmt('%.0f', now), 'LIMIT', 0, ARGV[3])
for i = 1, #gone do
  local id = gone[i]
  local rec = job(id)
  if rec then
    local state, pri, seq, enq, d, att, cr, bv = unpackb(HEAD, rec)
    local lane = tail(rec)
    save(id, pack(HEAD, state, pri, seq, enq, d, att, math.min(cr + 1, 65535), bv) .. sub(rec, 33))
    ready(lane, id, pri, seq)
    count('l', lane, -1)
    count('r', lane, 1)
  end
end
if #gone > 0 then
  many('ZREM', kLeases, gone)
  many('HDEL', kEpochs, gone)
end
local lanes = flush()

local nearest = -1
for _, key in ipairs({ kDue, kLeases }) do
  local first = call('ZRANGE', key, 0, 0, 'WITHSCORES')
  if first[2] then
    local left = math.max(0, tonumber(first[2]) - now)
    if nearest < 0 or left < nearest then nearest = left end
  end
end
return { #due, #gone, fmt('%.0f', nearest), lanes }
