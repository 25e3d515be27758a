select no, day from jobrunner.run where no = $1
