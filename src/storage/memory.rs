//! What one transaction leaves for the next, so that it need not be read again: the writer is the only one who writes.

use std::any::{Any, TypeId};
use std::collections::HashMap;

/// One thing of each type. It is right as long as every transaction that changes what it tells of changes it here too;
/// therefore each transaction that ends forgets it all, unless it has said that it did so.
#[derive(Default)]
pub(super) struct Memory(HashMap<TypeId, Box<dyn Any + Send>>);

impl Memory {
    pub(super) fn of<T: Any + Send + Default>(&mut self) -> &mut T {
        let place = self.0.entry(TypeId::of::<T>()).or_insert_with(|| Box::<T>::default());
        place.downcast_mut().expect("each type has a place of its own")
    }

    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}
