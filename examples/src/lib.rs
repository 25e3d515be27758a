//! Programs that embed JobRunner.
