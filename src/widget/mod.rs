//! The door for visitors: the script that a page loads, and the pages of ours that hold it.

pub mod page;
pub mod script;
