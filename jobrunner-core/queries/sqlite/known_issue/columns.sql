select id, owner_id, project, title, series, test, variant, pattern, effect, ticket, created_at, expires_at
from known_issue
