-- Tells all who listen on a channel.
select pg_notify($1, $2)
