-- The members of batch $6 of which a page is shown: $1 after this member, $2 limit; $3 queue, $4
-- pattern of names, $5 owner, $7 status, $8 reason: null is any.
with member as (
    select id, name, ran_ms from member_view
    where batch_id = $6 and ($3 is null or queue = $3) and ($4 is null or name glob $4)
      and ($5 is null or owner_id = $5) and ($7 is null or status = $7) and ($8 is null or reason = $8)
)
