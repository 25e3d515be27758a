//! Programs that embed JobRunner; see the files beside this one.
