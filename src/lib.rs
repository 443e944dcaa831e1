//! OCS: live chat for any website, in one binary. Modules are declared in the order of their imports: each uses those before
//! it (`tests/suite/architecture.rs`).

#![deny(clippy::print_stdout)]

// base: no knowledge of the product
pub mod id;
pub mod clock;
pub mod error;
pub mod secret;
pub mod text;
mod output;
pub mod vault;
pub mod config;
pub mod logging;
mod cpu_pool;
mod encoding;
pub mod fair_limit;
pub mod sliding_window;
pub mod storage;

// know ids only
pub mod events;
pub mod audit;

// nouns: one folder each
pub mod accounts;
pub mod workspaces;
pub mod members;
pub mod images;
pub mod sites;
pub mod visitors;
pub mod conversations;
pub mod messages;

// what spans nouns
pub mod hub;
mod effects;
pub mod inbox;
pub mod search;
pub mod abuse;
pub mod flows;
pub mod rate_limits;
mod response_cache;

// a running product
pub mod app;

// HTTP and live connections
pub mod http;
pub mod realtime;
pub mod widget_api;
pub mod console_api;
pub mod chat_api;

// the program
pub mod routes;
pub mod openapi;
pub mod serve;
pub mod bench;
pub mod cli;
