-- Whether anything belongs to project $1.
select exists (select 1 from jobrunner.job where project = $1)
    or exists (select 1 from jobrunner.batch where project = $1)
    or exists (select 1 from jobrunner.personal_token where project = $1)
    or exists (select 1 from jobrunner.series where project = $1)
