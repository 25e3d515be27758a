delete from ready where lane_id in (select id from lane where $1 is null or owner_id = $1)
