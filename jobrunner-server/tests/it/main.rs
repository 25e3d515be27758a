//! The API over real connections, on a real store.

mod access;
mod app;
mod audit;
mod dashboard;
mod description;
mod history;
mod ids;
mod junit;
mod known_issues;
mod malformed;
mod methods;
mod notifications;
mod open;
mod openapi;
mod own_account;
mod pages;
mod parameters;
mod projects;
mod queues;
mod repeated;
mod results;
mod rights;
mod shown;
mod sign_ins;
mod tokens;
