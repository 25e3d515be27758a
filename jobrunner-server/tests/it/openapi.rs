//! The description of the API, and that it and the server agree.

mod answers;
mod bounds;
mod document;
mod examples;
