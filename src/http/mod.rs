//! What all doors share: the route table, reading requests, answering, and who is calling.

pub mod address;
pub mod body;
pub mod budgets;
pub mod caller;
pub mod limits;
pub mod problem;
pub mod route;
pub mod assets;
pub mod dist;
pub mod encoding;
pub mod etag;
pub mod headers;
pub mod origin;
pub mod uploads;
pub mod operations;
pub mod requests;
pub mod server;
mod linger;
mod streams;
pub mod descriptors;
pub mod pace;
pub mod places;
pub mod tls;
mod acme;
mod certificate;
pub mod kept;
