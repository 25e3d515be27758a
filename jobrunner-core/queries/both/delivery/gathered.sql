-- What was gathered for subscription $1 is told by a message.
update jobrunner.delivery set state = 4 where subscription_id = $1 and state = 3
returning id, kind, batch_id, batch_name
