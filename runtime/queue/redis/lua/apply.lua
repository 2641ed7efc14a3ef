-- Applies many commits, each all or nothing, in the order given.
--
-- KEYS[1]   prefix of the shard
-- ARGV[1]   mark of the store
-- ARGV[2]   session of the caller; ARGV[3] number of this call in the session;
-- ARGV[4]   calls below this number are settled: a late arrival changes nothing
-- ARGV[5]   milliseconds that history is kept; ARGV[6] how many recent entries
-- ARGV[7]   the highest call of this session that was answered as carried out
-- then      n, then n numbers of calls whose answers may be forgotten
-- then      n, then n IDs of leased jobs to check
-- then      n, then n IDs of jobs to read ahead
-- then      n lanes, each: lane, n, n keys to read ahead
-- then      n, then n dedupe keys to read ahead
-- then      n commits; encode.go tells how one is laid out
-- then      where bodies are not written by a transaction around the script: n,
--           then n arguments: body key, body, ...
--
-- Output    one text: the lanes that got work, separated by tabs, then a line
--           per commit: 0 and one word per job (E, D<id>, C<id>, separated by
--           tabs), or 1 lease lost, 2 version, 3 not found. The same call again
--           gets the same text. A line '!' and a number in front: the store has
--           gone back in time, it knows no call of this session above that number
--           although a later one was answered.
--           The error CDLATE: the call came too late and was not carried out.

local session = P .. K.session .. ARGV[2]
local known = call('HMGET', session, ARGV[3], 'low', 'high')
local p = 8 -- cursor in ARGV

-- list reads a counted run of arguments and returns its first and last index.
local function list()
  local n = tonumber(ARGV[p])
  local a = p + 1
  p = a + n
  return a, p - 1, n
end

-- ahead reads many hash fields at once into t.
local function ahead(key, a, b, t)
  for i = a, b, 4000 do
    local e = math.min(i + 3999, b)
    local got = call('HMGET', key, unpack(ARGV, i, e))
    for j = i, e do t[ARGV[j]] = got[j - i + 1] end
  end
end

local settledA, settledB, settledN = list()
local leaseA, leaseB = list()
local jobA, jobB = list()
local lanesAt = p
local function eachLane(f)
  local n = tonumber(ARGV[p])
  p = p + 1
  for _ = 1, n do
    local lane = ARGV[p]
    p = p + 1
    local a, b = list()
    if f then f(lane, a, b) end
  end
end

if known[1] or tonumber(ARGV[3]) < tonumber(known[2] or 0) then
  -- Known already: remove bodies that the transaction around this script wrote
  -- a second time and that no job needs any more.
  eachLane()
  list()
  local n = tonumber(ARGV[p])
  p = p + 1
  for _ = 1, n do
    local at, total, jobsN = p, tonumber(ARGV[p]), tonumber(ARGV[p + 2])
    local j = p + 8
    for _ = 1, jobsN do
      local slot, rec = ARGV[j + 4], job(ARGV[j + 1])
      local mine = false
      if rec then
        local _, _, s = tail(rec)
        mine = s == slot
      end
      if not mine then call('DEL', P .. K.body .. slot) end
      j = j + tonumber(ARGV[j])
    end
    p = at + total
  end
  call('EXPIRE', session, 86400)
  if known[1] and known[1] ~= 'void' then return known[1] end
  return redis.error_reply('CDLATE the call came too late')
end

local now = clock()
local epochs, dedupe = {}, {}
ahead(kEpochs, leaseA, leaseB, epochs)
ahead(kJobs, jobA, jobB, jobs)
eachLane(function(lane, a, b)
  local t = {}
  behind[lane] = t
  ahead(P .. K.keys .. lane, a, b, t)
  for k, v in pairs(t) do t[k] = tonumber(v) or false end
end)
do
  local a, b = list()
  for i = a, b, 4000 do
    local e = math.min(i + 3999, b)
    local keys = {}
    for j = i, e do keys[#keys + 1] = P .. K.dedupe .. ARGV[j] end
    local got = call('MGET', unpack(keys))
    for j = i, e do dedupe[ARGV[j]] = got[j - i + 1] end
  end
end

local lastSeq = tonumber(call('GET', P .. K.seq) or 0)
local seq = lastSeq
local ended, endedBodies, recent, counters, fresh = {}, {}, {}, {}, {}

local function dropBody(slot) endedBodies[#endedBodies + 1] = P .. K.body .. slot end

local function setBody(slot, body) call('SET', P .. K.body .. slot, body) end

-- A time to live is set a quarter longer than asked for and renewed when less
-- than that is left: most writes need not renew it.
local keepMs = tonumber(ARGV[5])
local keepLong = fmt('%.0f', keepMs * 1.25)
local nowMs = fmt('%.0f', now / 1000)
local oldMs = fmt('(%.0f', now / 1000 - 1.25 * keepMs)

local function renew(key) -- true when the time was renewed
  if call('PTTL', key) < keepMs then
    call('PEXPIRE', key, keepLong)
    return true
  end
end

-- notes writes a history group at index i and returns the index behind it.
-- kind, where given, replaces the kind of its entries.
local function notes(i, kind)
  local root, n = ARGV[i], tonumber(ARGV[i + 1])
  i = i + 2
  local blobs, tags = {}, {}
  for j = 1, n do
    local tag = (kind or ARGV[i + 1]) .. '\0' .. ARGV[i]
    tags[j] = tag
    counters[tag] = (counters[tag] or 0) + 1
    blobs[j] = (kind or ARGV[i + 1]) .. '\0' .. ARGV[i + 2]
    i = i + 3
  end
  local key = P .. K.history .. root
  local len = call('RPUSH', key, unpack(blobs))
  if len == n then
    call('PEXPIRE', key, keepLong)
  else
    renew(key)
  end
  for j = 1, n do recent[#recent + 1] = tags[j] .. '\0' .. fmt('%d', len - n + j - 1) .. '\0' .. root end
  local refs = tonumber(ARGV[i])
  i = i + 1
  for _ = 1, refs do
    local f = P .. K.ref .. ARGV[i]
    call('ZADD', f, nowMs, ARGV[i + 1] .. '\0' .. root)
    if renew(f) then -- a reference in use for long must not grow for ever
      call('ZREMRANGEBYSCORE', f, '-inf', oldMs)
    end
    i = i + 2
  end
  return i
end

local function groups(i, kind)
  local n = tonumber(ARGV[i])
  i = i + 1
  for _ = 1, n do i = notes(i, kind) end
  return i
end

-- moment is a time that is told as its distance from now in microseconds; 0 = none.
local function moment(distance)
  local us = tonumber(distance)
  if us == 0 then return 0 end
  return math.max(1, now + us)
end

-- enqueue puts a job at the tail of its key. base is its record behind the head.
local function enqueue(id, lane, key, pri, enq, due, bv, base)
  seq = seq + 1
  local late = due > now
  save(id, pack(HEAD, late and DELAYED or READY, pri, seq, enq, due, 0, 0, bv) .. base)
  count(late and 'd' or 'r', lane, 1)
  if late then wait(lane, id, seq, due) end
  if key ~= '' then
    local n = waiting(lane, key)
    if n then
      call('RPUSH', P .. K.queue .. lane .. '\0' .. key, id)
      hold(lane, key, n + 1)
      if not late then call('ZADD', P .. K.behind .. lane, seq, id) end
      return
    end
    hold(lane, key, 0)
  end
  if not late then ready(lane, id, pri, seq) end
end

local function add(i) -- a job at index i; returns its word of the answer
  local id, lane, key, slot, hasBody = ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4], ARGV[i + 5]
  local mark = ARGV[i + 8]
  local word
  local orig = mark ~= '' and dedupe[mark]
  if jobs[id] then
    word = 'E'
  elseif orig then
    local first = sub(orig, 9)
    if first == id then
      word = 'E'
    elseif sub(orig, 1, 8) == ARGV[i + 9] then
      word = 'D' .. first
      groups(i + tonumber(ARGV[i + 11]), 'duplicate')
    else
      word = 'C' .. first
      groups(i + tonumber(ARGV[i + 11]), 'conflict')
    end
  end
  if word then
    if hasBody == '1' then dropBody(slot) end
    return word
  end
  enqueue(id, lane, key, tonumber(ARGV[i + 6]), now, moment(ARGV[i + 7]), hasBody,
    char(#lane) .. lane .. char(#slot) .. slot .. key)
  if mark ~= '' then
    local v = ARGV[i + 9] .. id
    dedupe[mark] = v
    if ARGV[i + 10] == '0' then
      call('SET', P .. K.dedupe .. mark, v)
    else
      call('SET', P .. K.dedupe .. mark, v, 'PX', ARGV[i + 10])
    end
  end
  groups(i + 12)
  return 'E'
end

-- finish ends or renews the lease at index i; the lease was checked.
local function finish(i)
  local how, id, lane, key, slot = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 5]
  if how ~= '1' then
    epochs[id] = false
    ended[#ended + 1] = id
    count('l', lane, -1)
  end
  if how == '0' then
    save(id, false)
    dropBody(slot)
    advance(lane, key)
    return
  end
  local rec = job(id)
  if not rec then return end
  local _, pri, s, enq, due, att, cr, bv = unpackb(HEAD, rec)
  if how == '5' then
    ready(lane, id, pri, s)
    count('r', lane, 1)
    return
  end
  att = tonumber(ARGV[i + 7])
  if ARGV[i + 8] == '1' then
    setBody(slot, ARGV[i + 9])
    bv = bv + 1
  end
  local state, at = READY, moment(ARGV[i + 6])
  if how == '2' and at > now then
    state, due = DELAYED, at
    wait(lane, id, s, at)
    count('d', lane, 1)
  elseif how == '2' then
    ready(lane, id, pri, s)
    count('r', lane, 1)
  elseif how == '3' then
    state, due = PARKED, at
    wait(lane, id, s, at)
    count('p' .. ARGV[i + 10] .. '\0', lane, 1)
  elseif how == '4' then
    state = DEAD
    call('ZADD', P .. K.dead .. lane, s, id)
    count('x', lane, 1)
  end
  if state == PARKED or state == DEAD then
    call('HSET', kExtra, id, fmt('%.0f', now) .. '\0' .. ARGV[i + 11] .. '\0' .. ARGV[i + 12] .. '\0' .. ARGV[i + 10])
  end
  save(id, pack(HEAD, state, pri, s, enq, due, att, cr, bv) .. sub(rec, 33))
  if state == DEAD then advance(lane, key) end
end

local versions = {}
local function version(key)
  local v = versions[key]
  if v == nil then
    v = tonumber(string.match(call('GETRANGE', P .. K.state .. key, 0, 19), '^%d+')) or 0
    versions[key] = v
  end
  return v
end

local function put(i)
  local key, f = ARGV[i], P .. K.state .. ARGV[i]
  if ARGV[i + 2] == '1' then
    versions[key] = 0
    call('DEL', f)
  else
    local v = version(key) + 1
    versions[key] = v
    local value = fmt('%d', v) .. ':' .. ARGV[i + 3]
    if ARGV[i + 4] == '0' then
      call('SET', f, value)
    else
      call('SET', f, value, 'PX', ARGV[i + 4])
    end
  end
  call('PUBLISH', P .. K.watch .. key, '1')
end

-- remove takes a job that is not leased out of the store.
local function remove(id)
  local rec = job(id)
  if not rec or epochs[id] then return end
  if epochs[id] == nil and call('HEXISTS', kEpochs, id) == 1 then return end
  local state = byte(rec, 1)
  local lane, key, slot = tail(rec)
  save(id, false)
  dropBody(slot)
  if state == DEAD then
    call('ZREM', P .. K.dead .. lane, id)
    call('HDEL', kExtra, id)
    count('x', lane, -1)
    return
  end
  if state == DELAYED then
    unwait(lane, id)
    count('d', lane, -1)
  elseif state == PARKED then
    local _, _, _, reason = extra(id)
    unwait(lane, id)
    call('HDEL', kExtra, id)
    count('p' .. reason .. '\0', lane, -1)
  else
    count('r', lane, -1)
    if unready(lane, id) then return advance(lane, key) end
  end
  local n = key ~= '' and waiting(lane, key) or 0
  if n > 0 and call('LREM', P .. K.queue .. lane .. '\0' .. key, 1, id) == 1 then
    call('ZREM', P .. K.behind .. lane, id)
    hold(lane, key, n - 1)
    return
  end
  advance(lane, key)
end

local function order(i)
  local what, id = ARGV[i], ARGV[i + 1]
  if what == '1' then return remove(id) end
  local rec = job(id)
  local state, pri, s, enq, due, att, cr, bv = unpackb(HEAD, rec)
  local lane, key, slot = tail(rec)
  if ARGV[i + 2] == '1' then
    setBody(slot, ARGV[i + 3])
    bv = bv + 1
  end
  if what == '0' then
    call('ZREM', P .. K.dead .. lane, id)
    call('HDEL', kExtra, id)
    count('x', lane, -1)
    enqueue(id, lane, key, pri, enq, 0, bv, sub(rec, 33))
    return
  elseif what == '3' then
    if state == PARKED then
      local _, _, _, reason = extra(id)
      call('HDEL', kExtra, id)
      count('p' .. reason .. '\0', lane, -1)
    else
      count('d', lane, -1)
    end
    state, due = READY, 0
    rouse(lane, key, id, pri, s)
  end
  save(id, pack(HEAD, state, pri, s, enq, due, att, cr, bv) .. sub(rec, 33))
end

-- check looks at what a commit presumes, changes nothing and returns 0 or the
-- reason of the refusal.
local function check(i, finishes, puts, orders)
  for _ = 1, finishes do
    if epochs[ARGV[i + 1]] ~= ARGV[i + 4] then return 1 end
    i = i + ((ARGV[i] == '0' or ARGV[i] == '5') and 6 or 13)
  end
  local seen = {}
  for _ = 1, puts do
    local key, want = ARGV[i], tonumber(ARGV[i + 1])
    local v = seen[key] or version(key)
    if want >= 0 and v ~= want then return 2 end
    seen[key] = ARGV[i + 2] == '1' and 0 or v + 1
    i = i + 5
  end
  seen = {}
  for _ = 1, orders do
    local what, id = ARGV[i], ARGV[i + 1]
    local state = seen[id]
    if not state then
      local rec = job(id)
      state = rec and byte(rec, 1) or -1
      -- A leased job keeps the state it had when it was leased: ready.
    end
    if what == '0' or what == '2' then
      if state ~= DEAD then return 3 end
      if what == '0' then state = READY end
    elseif what == '1' then
      if state ~= DEAD and state ~= PARKED then return 3 end
      state = -1
    else
      if state ~= PARKED and state ~= DELAYED then return 3 end
      state = READY
    end
    seen[id] = state
    i = i + 4
  end
  return 0
end

local answer = {}
local commits = tonumber(ARGV[p])
p = p + 1
for c = 1, commits do
  local at = p
  local nJobs, nFinish, nPut, nOrder, nCancel = tonumber(ARGV[p + 2]), tonumber(ARGV[p + 3]),
    tonumber(ARGV[p + 4]), tonumber(ARGV[p + 5]), tonumber(ARGV[p + 6])
  local rest = at + tonumber(ARGV[p + 1])
  local no = check(rest, nFinish, nPut, nOrder)
  local j = at + 8
  if no > 0 then
    answer[c] = no
    for _ = 1, nJobs do
      if ARGV[j + 5] == '1' then dropBody(ARGV[j + 4]) end
      j = j + tonumber(ARGV[j])
    end
  else
    local i, words = rest, {}
    local finishAt = i
    for _ = 1, nFinish do i = i + ((ARGV[i] == '0' or ARGV[i] == '5') and 6 or 13) end
    local putAt = i
    i = i + 5 * nPut
    for _ = 1, nOrder do
      order(i)
      i = i + 4
    end
    for _ = 1, nCancel do
      remove(ARGV[i])
      i = i + 1
    end
    groups(i)
    i = finishAt
    for _ = 1, nFinish do
      finish(i)
      i = i + ((ARGV[i] == '0' or ARGV[i] == '5') and 6 or 13)
    end
    for n = 0, nPut - 1 do put(putAt + 5 * n) end
    for w = 1, nJobs do
      words[w] = add(j)
      j = j + tonumber(ARGV[j])
    end
    answer[c] = '0' .. table.concat(words, '\t')
  end
  p = at + tonumber(ARGV[at])
end

for i = p + 1, p + tonumber(ARGV[p] or 0), 2 do call('SET', ARGV[i], ARGV[i + 1]) end

if seq > lastSeq then call('SET', P .. K.seq, fmt('%.0f', seq)) end
many('HDEL', kEpochs, ended)
many('ZREM', kLeases, ended)
local lanes = flush()
for i = 1, #endedBodies, 4000 do
  call('UNLINK', unpack(endedBodies, i, math.min(i + 3999, #endedBodies)))
end
for tag, n in pairs(counters) do call('HINCRBY', P .. K.counters, tag, n) end
if #recent > 0 then
  many('LPUSH', P .. K.recent, recent)
  call('LTRIM', P .. K.recent, 0, tonumber(ARGV[6]) - 1)
  call('INCRBY', P .. K.recentTotal, #recent)
end

local text = table.concat(lanes, '\t') .. '\n' .. table.concat(answer, '\n')
if tonumber(known[3] or 0) < tonumber(ARGV[7]) then
  text = '!' .. fmt('%.0f', tonumber(known[3] or 0)) .. '\n' .. text
end
if settledN > 0 then call('HDEL', session, unpack(ARGV, settledA, settledB)) end
call('HSET', session, ARGV[3], text, 'low', ARGV[4], 'high', math.max(tonumber(ARGV[3]), tonumber(known[3] or 0)))
call('EXPIRE', session, 86400)
return text
