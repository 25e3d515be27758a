select job_id from ready where lane_id = ?1 order by prio, job_id limit ?2
