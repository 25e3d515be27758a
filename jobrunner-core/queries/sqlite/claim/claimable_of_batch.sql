-- Members of batch $1 after the id $2.
join job j on j.lane_id = r.lane_id and 10 - j.priority = r.prio and j.id = r.job_id
where j.batch_id = $1 and j.status = 0 and j.id > $2
order by j.id limit 1000
