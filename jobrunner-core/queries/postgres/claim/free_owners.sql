-- As many as $3, locked until their virtual time has moved on; those that another claim has locked
-- are passed over.
limit $3
for update of t skip locked
