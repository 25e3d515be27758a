-- Puts hints into their lanes. Pushing one again leaves it as it is.
--
-- KEYS   queues, clock, idle: see queue/redis/lanes.rs
-- ARGV   prefix, then for each lane: queue, owner, weight ('' if it is not known), how many jobs,
--        and their scores and ids
local prefix = ARGV[1]
local clock = tonumber(redis.call('GET', KEYS[2]) or 0)
local at = 2
while at <= #ARGV do
  local queue, owner, weight, count = ARGV[at], ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3])
  at = at + 4
  if weight == '' then
    redis.call('HSETNX', KEYS[1], queue, 1)
  else
    redis.call('HSET', KEYS[1], queue, weight)
  end
  redis.call('ZADD', prefix .. ':jobs:' .. queue .. ':' .. owner, unpack(ARGV, at, at + 2 * count - 1))
  at = at + 2 * count

  local lanes = prefix .. ':lanes:' .. queue
  if not redis.call('ZSCORE', lanes, owner) then
    -- A lane that comes back neither overtakes the head of its queue nor forgets what it has had.
    local head = redis.call('ZRANGE', lanes, 0, 0, 'WITHSCORES')
    local tag = head[2] and tonumber(head[2]) + 1e-6 or clock
    local had = redis.call('ZSCORE', KEYS[3], queue .. ':' .. owner)
    if had then
      tag = math.max(tag, tonumber(had))
      redis.call('ZREM', KEYS[3], queue .. ':' .. owner)
    end
    redis.call('ZADD', lanes, string.format('%.17g', tag), owner)
  end
end
