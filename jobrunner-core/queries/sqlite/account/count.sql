select count(*) from account
