select id, subscription_id, kind, batch_id, batch_name, created_at, due_at,
       cast(state as bigint) as state, attempts, cast(tried as bigint) as tried, gathered
from delivery
