-- Tells the workers of every job that runs, of one owner or of everybody: $1 owner, null is any.
update lease set cancel = 1 where started_at is not null and ($1 is null or owner_id = $1)
