-- A transaction that is about to store a key holds this until it ends; see group.sql.
select pg_advisory_xact_lock(hashtextextended($2, hashtext($1::uuid::text)))
