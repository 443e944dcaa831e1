//! What a request may touch.

use std::ops::Deref;
use std::sync::Arc;

use crate::config::Config;
use crate::images::Images;
use crate::storage::{Folder, Store};

/// The running product. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The parts of a running product.
pub struct Parts {
    /// Settings in force.
    pub config: Config,
    /// The data folder.
    pub folder: Folder,
    /// The database.
    pub store: Store,
    /// Pictures: where they are, and how many are worked on at once.
    pub images: Images,
}

impl App {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> App {
        App(Arc::new(parts))
    }
}

impl Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}
