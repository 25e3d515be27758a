update active set vtime = $2 where lane_id = $1
