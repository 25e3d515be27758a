-- Puts hints into their lanes. Pushing one again leaves it as it is.
--
-- KEYS   queues, weights, clock, owners, idle: see queue/redis/lanes.rs
-- ARGV   prefix, then for each lane: queue, owner, their weights ('' if they are not known), how many
--        jobs, and their scores and ids
local prefix = ARGV[1]
local clock = tonumber(redis.call('GET', KEYS[3]) or 0)

-- Nothing need be remembered of the usual weight.
local function weigh(key, name, weight)
  if weight == '1' then
    redis.call('HDEL', key, name)
  elseif weight ~= '' then
    redis.call('HSET', key, name, weight)
  end
end

-- The virtual time of who comes: it neither overtakes the head nor falls behind.
local function joining(key, alone)
  local head = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  return head[2] and tonumber(head[2]) + 1e-6 or alone
end

local at = 2
while at <= #ARGV do
  local queue, owner, count = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 4])
  weigh(KEYS[1], queue, ARGV[at + 2])
  weigh(KEYS[2], owner, ARGV[at + 3])
  at = at + 5
  redis.call('ZADD', prefix .. ':jobs:' .. queue .. ':' .. owner, unpack(ARGV, at, at + 2 * count - 1))
  at = at + 2 * count

  local lanes = prefix .. ':lanes:' .. owner
  if not redis.call('ZSCORE', lanes, queue) then
    redis.call('ZADD', lanes, string.format('%.17g', joining(lanes, 0)), queue)
  end
  if not redis.call('ZSCORE', KEYS[4], owner) then
    -- An owner that comes back does not forget what it has had.
    local had = redis.call('ZSCORE', KEYS[5], owner)
    local tag = math.max(joining(KEYS[4], clock), tonumber(had or 0))
    redis.call('ZREM', KEYS[5], owner)
    redis.call('ZADD', KEYS[4], string.format('%.17g', tag), owner)
  end
end
