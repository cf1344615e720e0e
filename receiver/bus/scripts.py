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
#: milliseconds to live, channel.
#: Returns the id that it replaced ("" for none, "late" when a newer one is there), whether a worker
#: is to be told, and which one leases the camera. To be told of is a frame that did not take the
#: place of one that workers know of, and one whose camera has got another lessee since.
PUBLISH = (
    _NOW
    + """
local old = redis.call('HMGET', KEYS[1], 'id', 'waiting', 'epoch', 'seq', 'holder')
local seq = ARGV[3]
if ARGV[2] ~= '' and old[3] == ARGV[2] and old[4]
    and (#old[4] > #seq or (#old[4] == #seq and old[4] >= seq)) then
  return {'late', 0, ''}
end
local replaced = old[2] == '1' and old[1] or ''
local holder = redis.call('GET', KEYS[2]) or ''
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'waiting', '1', 'epoch', ARGV[2], 'seq', seq,
  'facts', ARGV[4], 'data', ARGV[5], 'at', string.format('%d', now), 'holder', holder)
redis.call('PEXPIRE', KEYS[1], ARGV[6])
redis.call('PUBLISH', ARGV[7], ARGV[1])
return {replaced, (replaced == '' or holder ~= old[5]) and 1 or 0, holder}
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

#: Tell workers of a camera's frame, unless the token that last told of it stands there unread: so
#: a camera has one place in the line. KEYS: tokens, told. ARGV: what it tells of, the camera, its
#: key, group, tokens kept.
RING = """
local last = redis.call('HGET', KEYS[2], ARGV[1])
if last and #redis.call('XRANGE', KEYS[1], last, last) == 1 then
  local read = redis.pcall('XPENDING', KEYS[1], ARGV[4], last, last, 1)
  if read.err or #read == 0 then return 0 end
end
-- Names of cameras that come no more, and of frames whose worker died.
if redis.call('HLEN', KEYS[2]) >= 8192 then redis.call('DEL', KEYS[2]) end
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[5], '*', 'camera', ARGV[2],
  'key', ARGV[3])
redis.call('HSET', KEYS[2], ARGV[1], id)
redis.call('PEXPIRE', KEYS[2], 60000)
return 1
"""

#: Take a frame that waits. KEYS: frame, taken. ARGV: token, milliseconds until the note of it is
#: gone.
#: Returns id, facts, data, how long it waited, in microseconds, and "1" where another worker had it
#: before; nothing where none waits.
TAKE = (
    _NOW
    + """
local found = redis.call('HMGET', KEYS[1], 'id', 'waiting', 'facts', 'data', 'at', 'again')
if not found[1] or found[2] ~= '1' then return false end
redis.call('HSET', KEYS[1], 'waiting', '0')
-- Left by workers that died just before they would have removed them.
if redis.call('HLEN', KEYS[2]) >= 256 then redis.call('DEL', KEYS[2]) end
redis.call('HSET', KEYS[2], ARGV[1], found[1] .. ' ' .. found[3])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return {found[1], found[3], found[4], now - tonumber(found[5]), found[6] or ''}
"""
)

#: Let a frame wait again that was taken. KEYS: frame. ARGV: its id.
PUT_BACK = """
if redis.call('HGET', KEYS[1], 'id') == ARGV[1] then
  redis.call('HSET', KEYS[1], 'waiting', '1', 'again', '1')
end
"""

#: Look at a frame. KEYS: frame. Returns facts, data and its age there, in microseconds.
PEEK = (
    _NOW
    + """
local found = redis.call('HMGET', KEYS[1], 'facts', 'data', 'at')
if not found[1] then return false end
return {found[1], found[2], now - tonumber(found[3])}
"""
)

_TELL = """
redis.call('XTRIM', KEYS[1], 'MINID', string.format('%d', now / 1000 - tonumber(ARGV[2])))
redis.call('XADD', KEYS[1], '*', 'message', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""

#: Say what became of a frame. KEYS: results. ARGV: message, milliseconds for which it stands there.
TELL = _NOW + _TELL

#: Likewise, if nobody else has for its token. KEYS: results, tokens. ARGV: message, milliseconds,
#: group, token. Returns 1, or 0 where somebody else has.
FINISH = (
    _NOW
    + """
if redis.call('XACK', KEYS[2], ARGV[3], ARGV[4]) == 0 then return 0 end
redis.call('XDEL', KEYS[2], ARGV[4])
"""
    + _TELL
    + """
return 1
"""
)

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
  if at and now - tonumber(at) < tonumber(ARGV[3]) then
    found[#found + 1] = all[i]
    found[#found + 1] = told
  else
    redis.call('HDEL', KEYS[1], all[i])
  end
end
return found
"""
)
