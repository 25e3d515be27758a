-- Those that were made before this id and wait for nothing: they are done, or the subscription was
-- deleted while they were made.
delete from jobrunner.delivery
where id < $1
  and (state not in (0, 3)
       or not exists (select 1 from jobrunner.subscription s where s.id = subscription_id))
