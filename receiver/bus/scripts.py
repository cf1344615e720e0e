"""Scripts: what has to happen in Redis in one step, in Lua.

Numbers of frames are compared as text, for Lua's have only 53 bits. Times are Redis's own, in
microseconds: no host's clock is compared with another's.
"""

from __future__ import annotations

_NOW = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
"""

#: Make a frame the camera's newest. KEYS: frame, lease. ARGV: id, epoch, seq, facts, data,
#: milliseconds to live, channel, microseconds between two rings.
#: Returns the id that it replaced ("" for none, "late" when a newer one is there), whether to ring
#: for a worker, and which worker leases the camera. It is to be rung for a frame that nobody was
#: told of, when that was long ago, and when the camera has got another lessee since.
PUBLISH = (
    _NOW
    + """
local old = redis.call('HMGET', KEYS[1], 'id', 'waiting', 'epoch', 'seq', 'rung', 'holder')
local seq = ARGV[3]
if ARGV[2] ~= '' and old[3] == ARGV[2] and old[4]
    and (#old[4] > #seq or (#old[4] == #seq and old[4] >= seq)) then
  return {'late', 0, ''}
end
local replaced = old[2] == '1' and old[1] or ''
local rung = tonumber(old[5] or 0)
local holder = redis.call('GET', KEYS[2]) or ''
local ring = replaced == '' or now - rung >= tonumber(ARGV[8]) or rung > now or holder ~= old[6]
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'waiting', '1', 'epoch', ARGV[2], 'seq', seq,
  'facts', ARGV[4], 'data', ARGV[5], 'at', string.format('%d', now),
  'rung', string.format('%d', ring and now or rung), 'holder', holder)
redis.call('PEXPIRE', KEYS[1], ARGV[6])
redis.call('PUBLISH', ARGV[7], ARGV[1])
return {replaced, ring and 1 or 0, holder}
"""
)

#: Keep a frame until it is processed. KEYS: its own, lease. ARGV: id, facts, data, milliseconds.
#: Returns which worker leases the camera.
KEEP = (
    _NOW
    + """
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'waiting', '1', 'facts', ARGV[2], 'data', ARGV[3],
  'at', string.format('%d', now))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return redis.call('GET', KEYS[2]) or ''
"""
)

#: Take a frame that waits. KEYS: frame, taken. ARGV: the id of one that may be taken for a second
#: time, token, milliseconds until the note of it is gone.
#: Returns id, facts, data and how long it waited, in microseconds; nothing where none waits.
TAKE = (
    _NOW
    + """
local found = redis.call('HMGET', KEYS[1], 'id', 'waiting', 'facts', 'data', 'at')
if not found[1] or (found[2] ~= '1' and found[1] ~= ARGV[1]) then return false end
redis.call('HSET', KEYS[1], 'waiting', '0')
-- Left by workers that died just before they would have removed them.
if redis.call('HLEN', KEYS[2]) >= 256 then redis.call('DEL', KEYS[2]) end
redis.call('HSET', KEYS[2], ARGV[2], found[1] .. ' ' .. found[3])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return {found[1], found[3], found[4], now - tonumber(found[5])}
"""
)

#: Look at a frame. KEYS: frame. Returns facts, data and its age there, in microseconds.
PEEK = (
    _NOW
    + """
local found = redis.call('HMGET', KEYS[1], 'facts', 'data', 'at')
if not found[1] then return false end
return {found[1], found[2], now - tonumber(found[3])}
"""
)

#: Say what became of a frame, if nobody else has for its token. KEYS: tokens, results.
#: ARGV: group, token, results kept, message. Returns 1, or 0 where somebody else has.
FINISH = """
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('XDEL', KEYS[1], ARGV[2])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', 'message', ARGV[4])
return 1
"""

#: Say that one is there, and hear who else is. KEYS: members, era. ARGV: name, JSON, microseconds
#: until one that says nothing is gone, an era in case there is none. Returns the era, which changes
#: when Redis has lost its memory, then names and JSON by turns.
BEAT = (
    _NOW
    + """
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d', now) .. ' ' .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], 60000)
redis.call('SET', KEYS[2], ARGV[4], 'NX')
local found = {redis.call('GET', KEYS[2])}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local at, told = string.match(all[i + 1], '^(%d+) (.*)$')
  if now - tonumber(at) < tonumber(ARGV[3]) then
    found[#found + 1] = all[i]
    found[#found + 1] = told
  else
    redis.call('HDEL', KEYS[1], all[i])
  end
end
return found
"""
)
