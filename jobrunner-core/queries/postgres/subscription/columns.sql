select id, owner_id, name, project, series, batch_name, kinds, channel, digest, is_enabled,
       jobrunner.ms(created_at) as created_at
from jobrunner.subscription
