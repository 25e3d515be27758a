-- One, as soon as it is free: when other claims have locked all of them.
limit 1
for update of t
