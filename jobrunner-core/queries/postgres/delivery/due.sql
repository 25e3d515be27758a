-- What is due at $1, so many of each subscription ($2) and of all ($3), but for the subscriptions
-- $4. Each is looked at for itself: a long list of one is not read for the others.
select d.id
from jobrunner.subscription s
cross join lateral (
    select id from jobrunner.delivery
    where subscription_id = s.id and state = 0 and due_at <= $1
    order by due_at limit $2) d
where s.is_enabled and s.id <> all($4)
limit $3
