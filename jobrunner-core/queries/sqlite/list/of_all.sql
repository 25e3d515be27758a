-- Everybody's jobs of which a page is shown: $1 before this id, $2 limit; $3 queue, $4 pattern of
-- names, $5 owner, $6 batch, $7 projects, beside which those of owner $8 are shown, $9 status, $10
-- reason: null is any.
with given as not materialized (select * from job)
