-- Makes the partitions of this month and the next two.
select jobrunner.make_months(floor(extract(epoch from clock_timestamp()) / 86400)::integer, 2)
