//! OCS: live chat for any website, in one binary. Modules are declared in reading order.

#![deny(clippy::print_stdout)]

// base: no knowledge of the product
pub mod id;
pub mod clock;
pub mod error;
pub mod config;
pub mod logging;
mod output;
pub mod secret;
pub mod vault;
pub mod text;
mod cpu_pool;
pub mod fair_limit;
pub mod storage;

// nouns: one folder each
pub mod audit;
pub mod accounts;
pub mod sites;
pub mod visitors;
pub mod conversations;
pub mod images;
pub mod messages;
pub mod search;
pub mod abuse;

// events and their delivery
pub mod events;
pub mod realtime;

// APIs
pub mod http;
pub mod console_api;
pub mod widget_api;
pub mod chat_api;

// application
pub mod app;
pub mod serve;
pub mod openapi;
mod effects;
pub mod cli;
pub mod bench;
