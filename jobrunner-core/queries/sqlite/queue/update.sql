update queue set paused = ifnull(?2, paused), weight = ifnull(?3, weight) where name = ?1
