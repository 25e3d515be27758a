delete from lease where batch_id = ?1 and started_at is null
