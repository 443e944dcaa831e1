//! Memory limit of request bodies of uploads: in total, by site and by address. Received bytes count, announced ones do
//! not. Only bodies count: the text, decoded base64 and pixels made from one have limits of their own (image decoders,
//! fields of a chat API form).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};
use crate::id::SiteId;

/// Bytes of all sites.
const TOTAL: usize = 512 * 1024 * 1024;
/// Bytes of one site: six of the largest images at once. Slow uploads leave the rest to other sites.
const PER_SITE: usize = TOTAL / 4;
/// Bytes from one address: three of the largest images.
const PER_ADDRESS: usize = PER_SITE / 2;

/// The reserved memory of all uploads.
#[derive(Default)]
pub struct UploadMemory(Mutex<Reserved>);

#[derive(Default)]
struct Reserved {
    total: usize,
    owner: HashMap<Owner, usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Owner {
    Site(SiteId),
    Address(u128),
}

impl Owner {
    fn limit(self) -> usize {
        match self {
            Owner::Site(_) => PER_SITE,
            Owner::Address(_) => PER_ADDRESS,
        }
    }
}

/// An upload's reservation, freed on drop.
pub struct Reservation<'a> {
    memory: &'a UploadMemory,
    owner: Vec<Owner>,
    bytes: usize,
}

impl UploadMemory {
    /// An empty reservation for an upload to a site, from a network if it is not shared.
    pub fn open(&self, site: SiteId, network: Option<u128>) -> Reservation<'_> {
        let owner = std::iter::once(Owner::Site(site)).chain(network.map(Owner::Address)).collect();
        Reservation { memory: self, owner, bytes: 0 }
    }

    /// Ignores poisoning: updates are complete, so counts are valid after a panic.
    fn reserved(&self) -> MutexGuard<'_, Reserved> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation<'_> {
    /// Reserves more bytes.
    ///
    /// # Errors
    /// `Unavailable` when the total, the site or the address is at its limit.
    pub fn grow(&mut self, bytes: usize) -> Result<()> {
        let mut reserved = self.memory.reserved();
        let of = |reserved: &Reserved, owner: &Owner| reserved.owner.get(owner).copied().unwrap_or(0);
        if reserved.total + bytes > TOTAL || self.owner.iter().any(|owner| of(&reserved, owner) + bytes > owner.limit())
        {
            return Err(Error::Unavailable);
        }
        reserved.total += bytes;
        self.bytes += bytes;
        self.owner.iter().for_each(|owner| *reserved.owner.entry(*owner).or_default() += bytes);
        Ok(())
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        let mut reserved = self.memory.reserved();
        reserved.total -= self.bytes;
        for owner in &self.owner {
            if let Some(own) = reserved.owner.get_mut(owner) {
                *own -= self.bytes;
                if *own == 0 {
                    reserved.owner.remove(owner);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEGABYTE: usize = 1024 * 1024;

    fn take(memory: &UploadMemory, site: i64, network: Option<u128>, bytes: usize) -> Option<Reservation<'_>> {
        let mut reservation = memory.open(SiteId(site), network);
        reservation.grow(bytes).ok().map(|()| reservation)
    }

    #[test]
    fn one_site_leaves_the_others_theirs_and_all_together_are_bounded() {
        let memory = UploadMemory::default();
        let noisy: Vec<_> = (0..6).map(|_| take(&memory, 1, None, 20 * MEGABYTE).expect("its part")).collect();
        assert!(take(&memory, 1, None, 20 * MEGABYTE).is_none());
        drop(take(&memory, 2, None, 20 * MEGABYTE).expect("another's part is free"));
        let others: Vec<_> = (2..5).map(|site| take(&memory, site, None, PER_SITE).expect("their parts")).collect();
        assert!(take(&memory, 9, None, 20 * MEGABYTE).is_none(), "all is taken");
        drop((noisy, others));
        assert!(memory.reserved().owner.is_empty(), "nothing is remembered of what is over");
        assert_eq!(memory.reserved().total, 0);
    }

    #[test]
    fn one_address_leaves_the_others_theirs_and_takes_what_came() {
        let memory = UploadMemory::default();
        let announced: Vec<_> = (0..1_000).map(|_| memory.open(SiteId(1), Some(7))).collect();
        let noisy: Vec<_> = (1..4).map(|site| take(&memory, site, Some(7), 20 * MEGABYTE).expect("its part")).collect();
        assert!(take(&memory, 4, Some(7), 20 * MEGABYTE).is_none());
        drop(take(&memory, 4, Some(8), 20 * MEGABYTE).expect("another's part is free"));
        drop((announced, noisy));
        assert!(memory.reserved().owner.is_empty() && memory.reserved().total == 0);
    }
}
