select id, owner_id, name, batch_name, kinds, channel, is_enabled, created_at
from subscription
