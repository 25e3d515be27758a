-- Whether a report with this token was accepted before: a rescue also ends an attempt, but not by report.
select 1 from attempt where job_id = ?1 and token = ?2 and reason is not 'worker_lost'
