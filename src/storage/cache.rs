//! The transaction cache: what one write transaction leaves for the next, so that it need not be read again.

use std::any::{Any, TypeId};
use std::collections::HashMap;

/// A cache, one value per type, carried from one write transaction to the next and cleared when a transaction is undone. It
/// may hold only rows whose every change takes a number of a log, and each value must remember the number at which it was
/// right: a locked counter that shows another one means that it no longer is.
#[derive(Default)]
pub(super) struct Cache(HashMap<TypeId, Box<dyn Any + Send>>);

impl Cache {
    pub(super) fn of<T: Any + Send + Default>(&mut self) -> &mut T {
        let value = self.0.entry(TypeId::of::<T>()).or_insert_with(|| Box::<T>::default());
        value.downcast_mut().expect("the key is the type of the value")
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
