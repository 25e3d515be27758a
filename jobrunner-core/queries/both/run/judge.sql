update jobrunner.run set verdict = $2 where no = $1
