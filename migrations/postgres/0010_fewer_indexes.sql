-- There are about as many leases as jobs run. What looks for those of a session, an owner or a
-- batch reads all of them, which costs less than three indexes that every claim has to write.
drop index jobrunner.lease_of_session;
drop index jobrunner.lease_of_owner;
drop index jobrunner.lease_of_batch;

-- Nearly all ends are those of jobs that passed: the newest of them are found among the newest
-- ends.
create index ended_otherwise on jobrunner.ended (status, job_id) where status <> 2;
drop index jobrunner.ended_of_all;
