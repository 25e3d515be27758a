-- As of_all, of owner $5.
with given as not materialized (select * from job where owner_id = $5)
