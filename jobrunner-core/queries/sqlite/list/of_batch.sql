-- As of_all, of batch $6.
with given as not materialized (
    select * from job
    where batch_id = $6 and ($5 is null or owner_id = $5)
      and ($7 is null or owner_id = $8 or project in (select value from json_each($7)))
)
