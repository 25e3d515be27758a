-- Where session $1 may claim at the uptime $2, and whether it runs a suspect.
select s.draining, s.host, exists (select 1 from lease l where l.session_id = s.id and l.alone) as is_alone
from session s where s.id = $1 and s.expires_at > $2
