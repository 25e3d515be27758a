-- Leases those of the deliveries $1 that are still due at $2 until $3, as $4.
update delivery set due_at = $3, lease = $4
where id in (select unhex(value) from json_each($1)) and state = 0 and due_at <= $2
returning id
