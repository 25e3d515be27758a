-- Takes the next hints: owners get turns in proportion to their weights, and the lanes of each get its
-- turns in proportion to those of their queues (start-time fair queueing). Answers nil when the lanes
-- are not complete, which ends with a rebuild.
--
-- KEYS   epoch, queues, weights, clock, owners, idle: see queue/redis/lanes.rs
-- ARGV   prefix, how many, how far an owner may lag behind, then the queues; none are all
if redis.call('EXISTS', KEYS[1]) == 0 then
  return false
end
local prefix, want, burst = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local clock = tonumber(redis.call('GET', KEYS[4]) or 0)

local function text(number)
  return string.format('%.17g', number)
end

-- The queue whose turn it is among those that an owner has jobs in, and its virtual time.
local function next_of(lanes)
  if #ARGV == 3 then
    local first = redis.call('ZRANGE', lanes, 0, 0, 'WITHSCORES')
    return first[1], first[2] and tonumber(first[2])
  end
  local queue, tag
  for i = 4, #ARGV do
    local score = redis.call('ZSCORE', lanes, ARGV[i])
    score = score and tonumber(score)
    if score and (not tag or score < tag) then
      queue, tag = ARGV[i], score
    end
  end
  return queue, tag
end

-- `passed` owners at the head have nothing in these queues.
local jobs, passed = {}, 0
while #jobs < want do
  local head = redis.call('ZRANGE', KEYS[5], passed, passed, 'WITHSCORES')
  local owner = head[1]
  if not owner then
    break
  end
  local lanes = prefix .. ':lanes:' .. owner
  local queue, within = next_of(lanes)
  if queue then
    local lane = prefix .. ':jobs:' .. queue .. ':' .. owner
    local job = redis.call('ZPOPMIN', lane)
    if redis.call('EXISTS', lane) == 0 then
      redis.call('ZREM', lanes, queue)
    elseif job[1] then
      local weight = tonumber(redis.call('HGET', KEYS[2], queue) or 1)
      redis.call('ZADD', lanes, text(within + 1 / weight), queue)
    end
    if job[1] then
      jobs[#jobs + 1] = job[1]
      -- Who was not served for long has some credit, but not all that has gone by.
      local start = math.max(tonumber(head[2]), clock - burst)
      local weight = tonumber(redis.call('HGET', KEYS[3], owner) or 1)
      local finish = text(start + 1 / weight)
      clock = math.max(clock, start)
      if redis.call('EXISTS', lanes) == 1 then
        redis.call('ZADD', KEYS[5], finish, owner)
      else
        redis.call('ZREM', KEYS[5], owner)
        redis.call('ZADD', KEYS[6], finish, owner)
      end
    end
  elseif redis.call('EXISTS', lanes) == 1 then
    passed = passed + 1
  else
    redis.call('ZREM', KEYS[5], owner)
  end
end
if #jobs > 0 then
  redis.call('SET', KEYS[4], text(clock))
  redis.call('ZREMRANGEBYSCORE', KEYS[6], '-inf', text(clock - burst))
end
return jobs
