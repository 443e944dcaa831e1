//! Room in memory for uploads under way: so much in all, and a part of it for each site.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};
use crate::id::SiteId;

/// Bytes over all sites.
const IN_ALL: usize = 512 * 1024 * 1024;
/// Bytes of one site: six of the largest pictures at once, and slow ones leave the others theirs.
const OF_SITE: usize = IN_ALL / 4;

/// What uploads under way hold.
#[derive(Default)]
pub struct Room(Mutex<Taken>);

#[derive(Default)]
struct Taken {
    in_all: usize,
    of_site: HashMap<SiteId, usize>,
}

/// An upload's room, for as long as its bytes are in memory.
pub struct Held<'a> {
    room: &'a Room,
    site: SiteId,
    bytes: usize,
}

impl Room {
    /// Room for one upload, held while its bytes are.
    ///
    /// # Errors
    /// `Unavailable` when too much is being uploaded right now, in all or to this site.
    pub fn take(&self, site: SiteId, bytes: usize) -> Result<Held<'_>> {
        let mut taken = self.taken();
        let own = taken.of_site.get(&site).copied().unwrap_or(0);
        if taken.in_all + bytes > IN_ALL || own + bytes > OF_SITE {
            return Err(Error::Unavailable);
        }
        taken.in_all += bytes;
        taken.of_site.insert(site, own + bytes);
        Ok(Held { room: self, site, bytes })
    }

    /// Every change is whole, so a poisoned count is still good.
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut taken = self.room.taken();
        taken.in_all -= self.bytes;
        if let Some(own) = taken.of_site.get_mut(&self.site) {
            *own -= self.bytes;
            if *own == 0 {
                taken.of_site.remove(&self.site);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_site_leaves_the_others_theirs_and_all_together_are_bounded() {
        let room = Room::default();
        let megabytes = 1024 * 1024;
        let noisy: Vec<_> = (0..6).map(|_| room.take(SiteId(1), 20 * megabytes).expect("its part")).collect();
        assert!(room.take(SiteId(1), 20 * megabytes).is_err());
        drop(room.take(SiteId(2), 20 * megabytes).expect("another's part is free"));
        let others: Vec<_> = (2..5).map(|site| room.take(SiteId(site), OF_SITE).expect("their parts")).collect();
        assert!(room.take(SiteId(9), 20 * megabytes).is_err(), "all is taken");
        drop((noisy, others));
        assert!(room.taken().of_site.is_empty(), "nothing is remembered of what is over");
        assert_eq!(room.taken().in_all, 0);
    }
}
