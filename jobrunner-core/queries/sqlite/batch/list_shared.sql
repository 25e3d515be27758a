-- The batches of projects $6 and of owner $7, as list_of_all: of each as many as the page is long,
-- by its index, which are merged.
with found (ids) as (
    select (select json_group_array(hex(id)) from (
                select id from batch
                where project = p.value and id < $1 and (name glob $3 or $3 is null)
                  and (status = $4 or $4 is null)
                order by id desc limit $2))
    from json_each($6) p
    union all
    select json_group_array(hex(id)) from (
        select id from batch
        where owner_id = $7 and id < $1 and (name glob $3 or $3 is null) and (status = $4 or $4 is null)
        order by id desc limit $2)
), page (id) as (
    select distinct unhex(e.value) as id from found f, json_each(f.ids) e order by id desc limit $2
)
