select name, description, is_archived, jobrunner.ms(created_at) as created_at
from jobrunner.project
