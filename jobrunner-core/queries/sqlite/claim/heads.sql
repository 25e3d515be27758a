-- The next jobs of a lane, but for those that are to be run on another host than $3 still at $4.
select job_id from ready
where lane_id = $1 and (avoid_host is null or avoid_host <> $3 or avoid_until <= $4)
order by prio, job_id limit $2
