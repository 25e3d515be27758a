-- The members of batch $6 of which a page is shown: $1 after this member, $2 limit; $3 queue, $4
-- pattern of names, $5 owner, $9 status, $10 reason: null is any. They belong to whom the batch
-- does, which is shown if it is of projects $7 or of owner $8.
with member as (
    select id, name, ran_ms from member_view
    where batch_id = $6 and ($3 is null or queue = $3) and ($4 is null or name glob $4)
      and ($5 is null or owner_id = $5) and ($9 is null or status = $9) and ($10 is null or reason = $10)
      and ($7 is null
           or exists (select 1 from batch where id = $6 and (owner_id = $8 or project in (select value from json_each($7)))))
)
