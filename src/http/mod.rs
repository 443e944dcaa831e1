//! What all doors share: the route table, reading requests, answering, and who is calling.

pub mod address;
pub mod body;
pub mod problem;
pub mod route;
