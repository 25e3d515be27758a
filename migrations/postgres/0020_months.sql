-- A month is dropped under a lock that every end of a job waits behind. When a reader holds it up,
-- it is tried again later instead.
alter function jobrunner.forget_months(integer) set lock_timeout = '2s';
