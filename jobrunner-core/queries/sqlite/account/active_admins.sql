select count(*) from account where role = 'admin' and is_active
