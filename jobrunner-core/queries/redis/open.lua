-- What a process does first on a new connection. It writes, and so fails on a replica or without
-- memory. The lanes that another life of the server left behind may miss anything: their epoch ends.
--
-- KEYS   epoch, server, rebuilder: see queue/redis/lanes.rs
-- ARGV   the run id of the server
local known = redis.call('GET', KEYS[2])
redis.call('SET', KEYS[2], ARGV[1])
if known ~= ARGV[1] then
  redis.call('DEL', KEYS[1], KEYS[3])
end
