-- Where the other stream was when parts of a chunk were read, as `[[offset, other], …]`; nothing if it is not known.
alter table jobrunner.log_chunk add column marks text;
