select no, name, variant, case_name from jobrunner.test where series_no = $1 and no = $2
