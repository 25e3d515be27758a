delete from ready
where (lane_id, prio, job_id) in
      (select lane_id, 10 - priority, id from job where (id = $1 or batch_id = $1) and +status = 0)
