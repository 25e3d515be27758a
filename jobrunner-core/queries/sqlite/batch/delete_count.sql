delete from batch_count where batch_id = ?1
