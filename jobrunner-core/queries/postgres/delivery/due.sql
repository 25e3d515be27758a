-- What is due at $1, so many of each subscription ($2) and of all ($3), but for the subscriptions
-- $4; what has been due for the longest first, so that servers that answer nobody, whose messages
-- come again and again, keep no others waiting. Each is looked at for itself: a long list of one is
-- not read for the others.
select d.id
from jobrunner.subscription s
cross join lateral (
    select id, due_at from jobrunner.delivery
    where subscription_id = s.id and state = 0 and due_at <= $1
    order by due_at limit $2) d
where s.is_enabled and s.id <> all($4)
order by d.due_at
limit $3
