select id, owner_id, name, batch_name, kinds, channel, is_enabled, jobrunner.ms(created_at) as created_at
from jobrunner.subscription
