-- In the order of their names: $1 after this one, $2 limit; $3 of this account, null is any.
where name > $1 and (name in (select project from jobrunner.project_member where user_id = $3) or $3 is null)
order by name limit $2
