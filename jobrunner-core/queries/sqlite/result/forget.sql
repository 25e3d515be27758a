-- Forgets them: $1 today, $2 days.
delete from result
where day < unixepoch(($1 - $2) * 86400, 'unixepoch', 'start of month') / 86400
