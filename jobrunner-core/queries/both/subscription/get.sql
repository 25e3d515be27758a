-- Subscription $1, if it belongs to $2, or to anybody when that is null.
where id = $1 and (owner_id = $2 or $2 is null)
