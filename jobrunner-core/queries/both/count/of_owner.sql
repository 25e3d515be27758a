-- How the jobs of owner $1 stand; of everybody when that is null.
from jobrunner.owner_count where owner_id = $1 or $1 is null
