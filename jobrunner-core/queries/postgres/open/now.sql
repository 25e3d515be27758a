-- A moment by the clock that tells when leases were given out.
select clock_timestamp()
