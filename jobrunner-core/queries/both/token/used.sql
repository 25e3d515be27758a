-- Token $1 was used at $2, which is not news if it was used since $3.
update jobrunner.personal_token set last_used_at = $2
where id = $1 and (last_used_at is null or last_used_at < $3)
