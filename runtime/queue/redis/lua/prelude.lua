-- Shared by every script, which follows this text in the same chunk.
--
-- KEYS[1]  the prefix of one shard, such as cd:{0}: (all keys of a script share
--          its hash tag, so they live in one slot)
-- ARGV[1]  the mark of the store: a random word written when it was made. A
--          script that finds another one, or none, changes nothing and answers
--          the error CDLOST: somebody emptied or replaced the store.
--
-- The table K (name -> suffix) comes from keys.go, before this text.

local P, ARGV = KEYS[1], ARGV -- locals are quicker than globals
local tonumber, unpack = tonumber, unpack
local call, char, byte, sub = redis.call, string.char, string.byte, string.sub
local pack, unpackb, fmt = struct.pack, struct.unpack, string.format
local READY, DELAYED, PARKED, DEAD = 0, 1, 2, 3
local LEVEL = 1125899906842624 -- 2^50: a priority outweighs every sequence number

local kJobs, kEpochs, kLeases, kDue = P .. K.jobs, P .. K.epochs, P .. K.leases, P .. K.due
local kExtra, kStats = P .. K.extra, P .. K.stats

if call('GET', P .. K.mark) ~= ARGV[1] then
  return redis.error_reply('CDLOST the store was emptied or replaced')
end

-- A job record: a head of 32 bytes (state, priority, sequence, enqueued, due,
-- attempts, crashes, version of the body), then lane, slot and key. Times are
-- microseconds.
local HEAD = '>BBI6I7I7I4I2I4'

local function tail(rec)
  local n = byte(rec, 33)
  local m = byte(rec, 34 + n)
  return sub(rec, 34, 33 + n), sub(rec, 35 + n + m), sub(rec, 35 + n, 34 + n + m) -- lane, key, slot
end

local function clock()
  local t = call('TIME')
  return t[1] * 1000000 + t[2]
end

-- many sends a variadic command for a list of any length (an even chunk, so
-- that pairs stay together; Lua's stack ends at 8000).
local function many(cmd, key, list)
  local n = #list
  if n == 0 then return end
  if n <= 4000 then return call(cmd, key, unpack(list)) end
  for i = 1, n, 4000 do
    call(cmd, key, unpack(list, i, math.min(i + 3999, n)))
  end
end

-- What follows is a unit of work: reads go through tables that already show the
-- writes of this call, and flush() writes them with few variadic commands.
local jobs, jobDirty, jobList = {}, {}, {}

local function job(id)
  local rec = jobs[id]
  if rec == nil then
    rec = call('HGET', kJobs, id)
    jobs[id] = rec
  end
  return rec
end

local function save(id, rec) -- rec false: the job is gone
  jobs[id] = rec
  if not jobDirty[id] then
    jobDirty[id] = true
    jobList[#jobList + 1] = id
  end
end

-- behind[lane][key] is the number of jobs behind the one that holds the key, or
-- false when nobody holds it.
local behind, behindList, behindDirty = {}, {}, {}

local function waiting(lane, key)
  local l = behind[lane]
  if not l then
    l = {}
    behind[lane] = l
  end
  local n = l[key]
  if n == nil then
    n = tonumber(call('HGET', P .. K.keys .. lane, key)) or false
    l[key] = n
  end
  return n
end

local function hold(lane, key, n)
  waiting(lane, key)
  behind[lane][key] = n
  local d = behindDirty[lane]
  if not d then
    d = {}
    behindDirty[lane] = d
  end
  if not d[key] then
    d[key] = true
    behindList[#behindList + 1] = lane
    behindList[#behindList + 1] = key
  end
end

local stats = {}
local function count(state, lane, n)
  local f = state .. lane
  stats[f] = (stats[f] or 0) + n
end

-- Heads that become ready in this call, per lane: id -> score.
local heads, headList = {}, {}

local function ready(lane, id, pri, seq)
  local h = heads[lane]
  if not h then
    h = {}
    heads[lane] = h
    headList[lane] = {}
  end
  h[id] = pri * LEVEL + seq
  local l = headList[lane]
  l[#l + 1] = id
end

local function unready(lane, id) -- true when id was a ready head
  local h = heads[lane]
  if h and h[id] then
    h[id] = false
    return true
  end
  return call('ZREM', P .. K.ready .. lane, id) == 1
end

-- wait puts a head aside until due (0: until an order), in DELAYED or PARKED.
local function wait(lane, id, seq, due)
  call('ZADD', P .. K.waiting .. lane, seq, id)
  if due > 0 then call('ZADD', kDue, fmt('%.0f', due), id) end
end

local function unwait(lane, id)
  call('ZREM', P .. K.waiting .. lane, id)
  call('ZREM', kDue, id)
end

-- advance hands a key to the job behind the one that left it.
local function advance(lane, key)
  if key == '' then return end
  local n = waiting(lane, key)
  if not n or n == 0 then
    hold(lane, key, false)
    return
  end
  local id = call('LPOP', P .. K.queue .. lane .. '\0' .. key)
  hold(lane, key, n - 1)
  local rec = job(id)
  if not rec then return advance(lane, key) end -- damage: the key must not stop for it
  local state, pri, seq = unpackb('>BBI6', rec)
  if state == READY then -- a delayed one waits for its time as the head, too
    call('ZREM', P .. K.behind .. lane, id)
    ready(lane, id, pri, seq)
  end
end

-- rouse makes a job ready that was delayed or parked, at its place in its key.
-- The caller saves the record and counts.
local function rouse(lane, key, id, pri, seq)
  unwait(lane, id)
  count('r', lane, 1)
  if key ~= '' and (waiting(lane, key) or 0) > 0 and call('LPOS', P .. K.queue .. lane .. '\0' .. key, id) then
    call('ZADD', P .. K.behind .. lane, seq, id)
  else
    ready(lane, id, pri, seq)
  end
end

local function extra(id) -- dead or parked: since when (microseconds), box, group, reason
  local x = call('HGET', kExtra, id)
  if not x then return 0, '', '', '' end
  local at, box, group, reason = string.match(x, '^(%d+)%z(%Z*)%z(%Z*)%z(.*)$')
  return tonumber(at), box, group, reason
end

-- flush writes the unit of work and returns the lanes that got a ready head.
local function flush()
  local set, del = {}, {}
  for i = 1, #jobList do
    local id = jobList[i]
    local rec = jobs[id]
    if rec then
      set[#set + 1] = id
      set[#set + 1] = rec
    else
      del[#del + 1] = id
    end
  end
  many('HSET', kJobs, set)
  many('HDEL', kJobs, del)
  local sets, dels = {}, {}
  for i = 1, #behindList, 2 do
    local lane, key = behindList[i], behindList[i + 1]
    local n = behind[lane][key]
    if n then
      local l = sets[lane]
      if not l then
        l = {}
        sets[lane] = l
      end
      l[#l + 1] = key
      l[#l + 1] = n
    else
      local l = dels[lane]
      if not l then
        l = {}
        dels[lane] = l
      end
      l[#l + 1] = key
    end
  end
  for lane, l in pairs(sets) do many('HSET', P .. K.keys .. lane, l) end
  for lane, l in pairs(dels) do many('HDEL', P .. K.keys .. lane, l) end
  local lanes = {}
  for lane, h in pairs(heads) do
    local list, ids = {}, headList[lane]
    for i = 1, #ids do
      local s = h[ids[i]]
      if s then
        list[#list + 1] = fmt('%.0f', s)
        list[#list + 1] = ids[i]
        h[ids[i]] = false
      end
    end
    if #list > 0 then
      many('ZADD', P .. K.ready .. lane, list)
      lanes[#lanes + 1] = lane
    end
  end
  for f, n in pairs(stats) do
    if n ~= 0 and call('HINCRBY', kStats, f, n) == 0 and sub(f, 1, 1) == 'p' then
      call('HDEL', kStats, f)
    end
  end
  return lanes
end
