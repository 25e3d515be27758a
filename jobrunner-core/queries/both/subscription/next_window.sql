-- The window of subscription $1 that ended at $2 is over, and the next ends at $3. Of many who say
-- so one does.
update jobrunner.subscription set window_ends_at = $3 where id = $1 and window_ends_at is not distinct from $2
