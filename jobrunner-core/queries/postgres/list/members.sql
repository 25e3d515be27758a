-- The members of batch $6 of which a page is shown: $1 after this member, $2 limit; $3 queue, $4
-- pattern of names, $5 owner, $7 status, $8 reason: null is any.
with member as (
    select id, name, ran_ms from jobrunner.member_view
    where batch_id = $6 and (lane_id in (select id from jobrunner.lane where queue = $3) or $3 is null)
      and (name like $4 or $4 is null) and (owner_id = $5 or $5 is null)
      and (status = $7 or $7 is null) and (reason = $8 or $8 is null)
)
