-- As of_all, of projects $7 and of owner $8.
with given as not materialized (select * from job where owner_id = $8 or project in (select value from json_each($7)))
