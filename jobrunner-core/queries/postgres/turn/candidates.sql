-- Lanes that seem to have been idle for a while; those that somebody is filling are left out.
select a.lane_id
from (select lane_id, (lane_id % 64)::int as place from jobrunner.active a
      where since < clock_timestamp() - interval '1 minute'
        and not exists (select from jobrunner.ready r where r.lane_id = a.lane_id)
      offset 0) a
where pg_try_advisory_xact_lock(1785098866, a.place)
