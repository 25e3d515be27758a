-- The last line of the output of an attempt that failed, without what differs from run to run: what makes
-- failures alike.
alter table jobrunner.attempt add column error_line text;
