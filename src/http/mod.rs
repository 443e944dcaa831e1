//! What the APIs share: the server loop, route tables, reading requests, responding, and authentication.

pub mod address;
pub mod body;
pub mod caller;
pub mod member;
pub mod problem;
pub mod route;
pub mod assets;
pub mod dist;
pub mod etag;
pub mod headers;
pub mod origin;
pub mod uploads;
pub mod operations;
pub mod middleware;
pub mod server;
mod lingering_close;
mod http2_streams;
pub mod file_descriptors;
pub mod timeouts;
pub mod connection_limits;
pub mod tls;
mod acme;
mod certificate;
