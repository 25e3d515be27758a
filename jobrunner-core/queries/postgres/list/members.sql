-- The members of batch $6 of which a page is shown: $1 after this member, $2 limit; $3 queue, $4
-- pattern of names, $5 owner, $9 status, $10 reason: null is any. They belong to whom the batch
-- does, which is shown if it is of projects $7 or of owner $8.
with member as (
    select id, name, ran_ms from jobrunner.member_view
    where batch_id = $6 and (lane_id in (select id from jobrunner.lane where queue = $3) or $3 is null)
      and (name like $4 or $4 is null) and (owner_id = $5 or $5 is null)
      and (status = $9 or $9 is null) and (reason = $10 or $10 is null)
      and (exists (select from jobrunner.batch where id = $6 and (project = any($7) or owner_id = $8)) or $7 is null)
)
