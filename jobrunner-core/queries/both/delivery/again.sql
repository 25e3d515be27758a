-- Delivery $1 is due at $2, whatever became of it, and has all its attempts before it. One that is
-- being tried is left to that attempt, and what is gathered to the message that tells it.
update jobrunner.delivery set state = 0, due_at = $2, tried = 0
where id = $1 and state < 3 and (state <> 0 or lease is null)
