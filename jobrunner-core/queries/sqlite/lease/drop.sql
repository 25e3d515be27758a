-- $1 a JSON array of tokens and jobs.
delete from lease where token in (select value ->> 'token' from json_each($1))
