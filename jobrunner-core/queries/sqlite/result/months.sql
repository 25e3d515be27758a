-- The months of which all results are $2 days old or more: each by its first day. $1 today.
select distinct unixepoch(day * 86400, 'unixepoch', 'start of month') / 86400 as month
from result
where unixepoch(day * 86400, 'unixepoch', 'start of month', '+1 month') / 86400 <= $1 - $2
