delete from ready
where (lane_id, prio, job_id) = (select lane_id, 10 - priority, id from job where id = ?1)
