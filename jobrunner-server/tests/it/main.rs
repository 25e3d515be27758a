//! The API over real connections, on a real store.

mod access;
mod app;
mod audit;
mod dashboard;
mod malformed;
mod openapi;
mod pages;
mod results;
