select name, description, is_archived, created_at
from project
