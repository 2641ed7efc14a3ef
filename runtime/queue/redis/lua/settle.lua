-- Tells what became of an apply call whose answer was lost. One that never
-- arrived is barred, so that it cannot arrive later.
--
-- KEYS[1]   prefix of the shard
-- ARGV[1]   mark of the store
-- ARGV[2]   session; ARGV[3] number of the call
--
-- Output    the answer of the call, or 'void' when it was not carried out

local session = P .. K.session .. ARGV[2]
local was = call('HGET', session, ARGV[3])
if was then return was end
call('HSET', session, ARGV[3], 'void')
call('EXPIRE', session, 86400)
return 'void'
