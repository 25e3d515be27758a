-- As of_all, of owner $5.
with given as not materialized (select * from job where owner_id = $5 and ($7 is null or project in (select value from json_each($7))))
