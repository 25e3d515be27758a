-- Counts the use of the token that ?2 others were exchanged before; changes nothing if it was used.
insert into refreshed_sign_in (id, uses, expires_at) values (?1, ?2 + 1, ?3)
on conflict (id) do update set uses = excluded.uses
where refreshed_sign_in.uses = ?2
