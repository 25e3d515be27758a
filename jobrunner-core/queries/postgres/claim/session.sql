select draining, host from jobrunner.session where id = $1 and expires_at > clock_timestamp()
