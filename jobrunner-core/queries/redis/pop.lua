-- Takes the next hints out of the lanes of some queues, each lane in proportion to its queue's weight:
-- start-time fair queueing. Answers nil when the lanes are not complete, which ends with a rebuild.
--
-- KEYS   epoch, queues, clock, idle: see queue/redis/lanes.rs
-- ARGV   prefix, how many, how far a lane may lag behind, then the queues; none are all
if redis.call('EXISTS', KEYS[1]) == 0 then
  return false
end
local prefix, want, burst = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local served = #ARGV > 3 and { unpack(ARGV, 4) } or redis.call('HKEYS', KEYS[2])
local clock = tonumber(redis.call('GET', KEYS[3]) or 0)

local weights, heads = {}, {}
local function look(i)
  local lane = redis.call('ZRANGE', prefix .. ':lanes:' .. served[i], 0, 0, 'WITHSCORES')
  heads[i] = lane[1] and { owner = lane[1], tag = tonumber(lane[2]) }
  if not lane[1] and weights[i] == 1 then
    -- Nothing need be remembered of a queue of the usual weight.
    redis.call('HDEL', KEYS[2], served[i])
  end
end
for i = 1, #served do
  weights[i] = tonumber(redis.call('HGET', KEYS[2], served[i]) or 1)
  look(i)
end

local jobs = {}
while #jobs < want do
  local next
  for i = 1, #served do
    if heads[i] and (not next or heads[i].tag < heads[next].tag) then
      next = i
    end
  end
  if not next then
    break
  end
  local queue, owner = served[next], heads[next].owner
  local lane, lanes = prefix .. ':jobs:' .. queue .. ':' .. owner, prefix .. ':lanes:' .. queue
  local job = redis.call('ZPOPMIN', lane)
  if job[1] then
    jobs[#jobs + 1] = job[1]
    -- Who was not served for long has some credit, but not all that has gone by.
    local start = math.max(heads[next].tag, clock - burst)
    local finish = string.format('%.17g', start + 1 / weights[next])
    clock = math.max(clock, start)
    if redis.call('EXISTS', lane) == 1 then
      redis.call('ZADD', lanes, finish, owner)
    else
      redis.call('ZREM', lanes, owner)
      redis.call('ZADD', KEYS[4], finish, queue .. ':' .. owner)
    end
  else
    redis.call('ZREM', lanes, owner)
  end
  look(next)
end
if #jobs > 0 then
  redis.call('SET', KEYS[3], string.format('%.17g', clock))
  redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', string.format('%.17g', clock - burst))
end
return jobs
