-- Moves the deadline of leases.
--
-- KEYS[1]   prefix of the shard
-- ARGV[1]   mark of the store
-- ARGV[2]   how long from now, in microseconds
-- then      pairs: job ID, epoch
--
-- Output    how many of the leases are not held any more

local due = fmt('%.0f', clock() + tonumber(ARGV[2]))
local ids, moved, lost = {}, {}, 0
for i = 3, #ARGV, 2 do ids[#ids + 1] = ARGV[i] end
for i = 1, #ids, 4000 do
  local e = math.min(i + 3999, #ids)
  local got = call('HMGET', kEpochs, unpack(ids, i, e))
  for j = i, e do
    if got[j - i + 1] == ARGV[2 * j + 2] then
      moved[#moved + 1] = due
      moved[#moved + 1] = ids[j]
    else
      lost = lost + 1
    end
  end
end
many('ZADD', kLeases, moved)
return lost
