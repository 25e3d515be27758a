delete from job where batch_id = ?1
