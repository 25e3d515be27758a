-- Causes by their numbers. $1 a JSON array of them.
insert into cause (no, reason, exit_code, signal, error_line)
select e.value ->> 'no', e.value ->> 'reason', e.value ->> 'exit_code', e.value ->> 'signal',
       e.value ->> 'error_line'
from json_each($1) e where true
on conflict do nothing
