-- What is decided by looking at all accounts is decided by one at a time; reading goes on.
lock table jobrunner.account in share row exclusive mode
