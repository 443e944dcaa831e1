//! Stories about people who use OCS, told through its public addresses alone.

mod access;
mod accounts;
mod architecture;
mod attacks;
mod audit;
mod chat_api;
mod commands;
mod contract;
mod conversations;
mod description;
mod engines;
mod framing;
mod identity;
mod images;
mod messages;
mod migrations;
mod parsers;
mod program;
mod realtime;
mod schemas;
mod second_factor;
mod secrets;
mod security;
mod sites;
mod tls;
mod world;
