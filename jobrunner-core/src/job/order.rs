use crate::words::words;

words! {
    /// In which order members of a batch are listed. The word is that of the API: a field, with `-`
    /// in front of it from the largest value down.
    #[derive(Default)]
    Order {
        /// In the order of their submission.
        Oldest = "created_at",
        /// The last one that was submitted first.
        #[default]
        Newest = "-created_at",
        /// By name, byte by byte.
        Name = "name",
        /// By name, the last one first.
        NameDown = "-name",
        /// By how long the last attempt took, or the running one has so far, the shortest first.
        /// Those without a start come last.
        Shortest = "duration",
        /// The longest first. Those without a start come last.
        Longest = "-duration",
    }
}
