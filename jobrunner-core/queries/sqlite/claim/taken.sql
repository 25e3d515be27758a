delete from ready
where (lane_id, prio, job_id) in
      (select j.lane_id, 10 - j.priority, j.id
       from json_each($1) e cross join job j on j.id = unhex(e.value))
