-- Ends a rebuild: the lanes are complete. Answers 0 when it is no longer the caller's to do.
--
-- KEYS   epoch, rebuilder, rebuilds
-- ARGV   who
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[2])
redis.call('SET', KEYS[1], redis.call('INCR', KEYS[3]))
return 1
