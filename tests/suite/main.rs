//! Stories about people who use OCS, told through its public addresses alone.

mod access;
mod architecture;
mod chat_api;
mod contract;
mod conversations;
mod engines;
mod identity;
mod images;
mod messages;
mod realtime;
mod world;
