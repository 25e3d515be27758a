-- Goes on with a rebuild; answers 0 when it is no longer the caller's to do.
--
-- KEYS   rebuilder
-- ARGV   who, for how many milliseconds
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
