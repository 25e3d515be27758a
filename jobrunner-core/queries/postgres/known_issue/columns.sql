select id, owner_id, project, title, series, test, variant, pattern, effect, ticket,
       jobrunner.ms(created_at) as created_at, jobrunner.ms(expires_at) as expires_at
from jobrunner.known_issue
