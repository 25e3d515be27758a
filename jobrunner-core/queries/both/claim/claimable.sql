-- All of them after the place ($1, $2, $3).
where (r.lane_id, r.prio, r.job_id) > ($1, $2, $3)
order by r.lane_id, r.prio, r.job_id limit 1000
