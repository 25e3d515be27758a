-- Lanes that have been idle for a while, $1 now.
delete from active
where since < $1 - 60000 and not exists (select 1 from ready r where r.lane_id = active.lane_id)
