-- Batch $1 as a run.
select r.no, r.series_no, s.id as series_id, s.name as series, r.repeats, r.branch, r.gate, r.baseline_branch,
       r.baseline_run, p.batch_id as baseline_batch, r.day, r.verdict, b.finished_at is not null as is_ended,
       (exists (select 1 from jobrunner.known_issue k where k.project = b.project)
        or exists (select 1 from jobrunner.known_issue k
                   where k.project is null and b.project is null and k.owner_id = b.owner_id)) as has_issues
from jobrunner.run r
join jobrunner.series s on s.no = r.series_no
join jobrunner.batch b on b.id = r.batch_id
left join jobrunner.run p on p.no = r.baseline_run
where r.batch_id = $1
