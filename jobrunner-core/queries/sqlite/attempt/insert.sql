insert into attempt (job_id, attempt, token, worker_id, started_at, finished_at, status, exit_code,
                     signal, reason, error, duration_ms, stdout_bytes, stderr_bytes, truncated, error_line)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
