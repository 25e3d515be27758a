//! What every store decides in the same way, without a database: pure functions over what its rows
//! say.
//!
//! A store asks [`plan`] which list answers a question, [`fair`] whose job is next, and [`decide`]
//! what follows the end of an attempt; it keeps its counts by a [`tally`],
//! learns from [`verdict`] what a test is beside its past, and makes what it found
//! into what is shown by [`rows`], [`output`], [`insight`] and [`history`]. What is left to a store
//! is to find rows, to lock them and to write them: see `store/postgres` and `store/sqlite`. An
//! embedder's own store that does the same passes `store_conformance!` (feature `testkit`).

pub mod decide;
pub mod fair;
pub mod history;
pub mod identity;
pub mod insight;
pub mod output;
pub mod plan;
pub mod results;
pub mod rows;
pub mod spec;
pub mod tally;
pub mod values;
pub mod verdict;
