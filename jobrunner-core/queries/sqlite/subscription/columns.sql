select id, owner_id, name, project, series, batch_name, kinds, channel, digest, is_enabled,
       created_at
from subscription
