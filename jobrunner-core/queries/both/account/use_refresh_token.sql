-- Counts the use of the token that $2 others were exchanged before; changes nothing if it was used.
-- Of two at once the second waits for the first, and then sees its count.
insert into jobrunner.refreshed_sign_in as known (id, uses, expires_at) values ($1, $2 + 1, $3)
on conflict (id) do update set uses = excluded.uses
where known.uses = $2
