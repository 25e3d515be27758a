select waiting, running, passed, failed, canceled from batch_count where batch_id = ?1
