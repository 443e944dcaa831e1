//! Room in memory for the bodies of uploads under way: so many bytes in all, and a part of them for each site and each address.
//! They are counted as they come; what is only announced takes none. Only bodies are counted: the texts, decoded base64 and
//! pixels made of one are not, and have bounds of their own (a picture's decoders, the fields that a chat API form may have).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};
use crate::id::SiteId;

/// Bytes of bodies over all sites.
const IN_ALL: usize = 512 * 1024 * 1024;
/// Bytes of one site: six of the largest pictures at once, and slow ones leave the others theirs.
const OF_SITE: usize = IN_ALL / 4;
/// Bytes from one address: three of the largest pictures.
const OF_ADDRESS: usize = OF_SITE / 2;

/// What uploads under way hold.
#[derive(Default)]
pub struct Room(Mutex<Taken>);

#[derive(Default)]
struct Taken {
    in_all: usize,
    by: HashMap<By, usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum By {
    Site(SiteId),
    Address(u128),
}

impl By {
    fn most(self) -> usize {
        match self {
            By::Site(_) => OF_SITE,
            By::Address(_) => OF_ADDRESS,
        }
    }
}

/// An upload's room, for as long as its bytes are in memory.
pub struct Held<'a> {
    room: &'a Room,
    by: Vec<By>,
    bytes: usize,
}

impl Room {
    /// Room for an upload to a site, from a network where that is somebody's own. Nothing is taken yet.
    pub fn open(&self, site: SiteId, network: Option<u128>) -> Held<'_> {
        let by = std::iter::once(By::Site(site)).chain(network.map(By::Address)).collect();
        Held { room: self, by, bytes: 0 }
    }

    /// Every change is whole, so a poisoned count is still good.
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held<'_> {
    /// Takes room for so many bytes more.
    ///
    /// # Errors
    /// `Unavailable` when too much is being uploaded right now, in all, to this site or from this address.
    pub fn grow(&mut self, bytes: usize) -> Result<()> {
        let mut taken = self.room.taken();
        let of = |taken: &Taken, by: &By| taken.by.get(by).copied().unwrap_or(0);
        if taken.in_all + bytes > IN_ALL || self.by.iter().any(|by| of(&taken, by) + bytes > by.most()) {
            return Err(Error::Unavailable);
        }
        taken.in_all += bytes;
        self.bytes += bytes;
        self.by.iter().for_each(|by| *taken.by.entry(*by).or_default() += bytes);
        Ok(())
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut taken = self.room.taken();
        taken.in_all -= self.bytes;
        for by in &self.by {
            if let Some(own) = taken.by.get_mut(by) {
                *own -= self.bytes;
                if *own == 0 {
                    taken.by.remove(by);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEGABYTE: usize = 1024 * 1024;

    fn take(room: &Room, site: i64, network: Option<u128>, bytes: usize) -> Option<Held<'_>> {
        let mut held = room.open(SiteId(site), network);
        held.grow(bytes).ok().map(|()| held)
    }

    #[test]
    fn one_site_leaves_the_others_theirs_and_all_together_are_bounded() {
        let room = Room::default();
        let noisy: Vec<_> = (0..6).map(|_| take(&room, 1, None, 20 * MEGABYTE).expect("its part")).collect();
        assert!(take(&room, 1, None, 20 * MEGABYTE).is_none());
        drop(take(&room, 2, None, 20 * MEGABYTE).expect("another's part is free"));
        let others: Vec<_> = (2..5).map(|site| take(&room, site, None, OF_SITE).expect("their parts")).collect();
        assert!(take(&room, 9, None, 20 * MEGABYTE).is_none(), "all is taken");
        drop((noisy, others));
        assert!(room.taken().by.is_empty(), "nothing is remembered of what is over");
        assert_eq!(room.taken().in_all, 0);
    }

    #[test]
    fn one_address_leaves_the_others_theirs_and_takes_what_came() {
        let room = Room::default();
        let announced: Vec<_> = (0..1_000).map(|_| room.open(SiteId(1), Some(7))).collect();
        let noisy: Vec<_> = (1..4).map(|site| take(&room, site, Some(7), 20 * MEGABYTE).expect("its part")).collect();
        assert!(take(&room, 4, Some(7), 20 * MEGABYTE).is_none());
        drop(take(&room, 4, Some(8), 20 * MEGABYTE).expect("another's part is free"));
        drop((announced, noisy));
        assert!(room.taken().by.is_empty() && room.taken().in_all == 0);
    }
}
