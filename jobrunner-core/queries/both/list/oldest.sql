-- Members in the order of their submission.
, page (id) as (select id from member where id > $1 order by id limit $2)
