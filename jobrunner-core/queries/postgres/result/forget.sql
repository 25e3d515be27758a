-- Drops the partitions of months that ended $1 days ago or more, and answers how many.
select jobrunner.forget_months((floor(extract(epoch from clock_timestamp()) / 86400) - $1)::integer)
