//! OCS: live chat for any website, in one binary. Declared in reading order.

#![deny(clippy::print_stdout)]

// ground: knows nothing of the product
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

// the product: one folder per noun
pub mod audit;
pub mod accounts;
pub mod sites;
pub mod visitors;
pub mod conversations;
pub mod images;
pub mod messages;
pub mod search;
pub mod abuse;

// how news travels
pub mod events;
pub mod realtime;

// the doors
pub mod http;
pub mod console_api;
pub mod widget_api;
pub mod chat_api;

// putting it together
pub mod app;
pub mod serve;
pub mod openapi;
mod effects;
pub mod cli;
pub mod bench;
