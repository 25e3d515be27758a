-- Delivery $1 is due at $2, whatever became of it. One that is being tried is left to that attempt.
update jobrunner.delivery set state = 0, due_at = $2
where id = $1 and (state <> 0 or lease is null)
