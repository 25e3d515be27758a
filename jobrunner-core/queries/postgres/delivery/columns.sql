select id, subscription_id, kind, batch_id, batch_name, jobrunner.ms(created_at) as created_at, jobrunner.ms(due_at) as due_at,
       cast(state as bigint) as state, attempts, cast(tried as bigint) as tried, gathered
from jobrunner.delivery
