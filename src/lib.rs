//! OCS: live chat for any website, in one binary. Declared in reading order.

#![deny(clippy::print_stdout)]

// ground: knows nothing of the product
pub mod id;
pub mod clock;
pub mod error;
pub mod config;
pub mod logging;
mod say;
pub mod secret;
pub mod seal;
pub mod text;
mod toil;
pub mod turns;
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
pub mod attacks;

// how news travels
pub mod events;
pub mod realtime;

// the doors
pub mod http;
pub mod console;
pub mod widget;
pub mod chat_api;

// putting it together
pub mod app;
pub mod serve;
pub mod description;
pub mod admin;
pub mod bench;
