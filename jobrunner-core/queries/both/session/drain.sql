update jobrunner.session set draining = true where id = $1
