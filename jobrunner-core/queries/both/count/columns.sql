select cast(coalesce(sum(waiting), 0) as bigint) as waiting, cast(coalesce(sum(running), 0) as bigint) as running,
       cast(coalesce(sum(passed), 0) as bigint) as passed, cast(coalesce(sum(failed), 0) as bigint) as failed,
       cast(coalesce(sum(canceled), 0) as bigint) as canceled
