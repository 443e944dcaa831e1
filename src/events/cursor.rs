//! Where a client stands in the log. Opaque to clients: they keep it and send it back.

use std::collections::BTreeMap;

use crate::id::SiteId;

/// The epoch of the database, and the number of the last event heard on each site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    epoch: String,
    positions: BTreeMap<SiteId, i64>,
}

impl Cursor {
    /// A cursor at the given positions.
    pub fn new(epoch: &str, positions: impl IntoIterator<Item = (SiteId, i64)>) -> Cursor {
        Cursor { epoch: epoch.to_owned(), positions: positions.into_iter().collect() }
    }

    /// `epoch.site-n.site-n…`
    pub fn to_text(&self) -> String {
        self.positions.iter().fold(self.epoch.clone(), |text, (site, n)| text + &format!(".{site}-{n}"))
    }

    /// Reads [`Self::to_text`]; none when it is not a cursor.
    pub fn parse(text: &str) -> Option<Cursor> {
        let mut parts = text.split('.');
        let epoch = parts.next().filter(|epoch| !epoch.is_empty())?;
        let position = |part: &str| {
            let (site, n) = part.split_once('-')?;
            Some((SiteId(site.parse().ok()?), n.parse().ok().filter(|n| *n >= 0)?))
        };
        let positions = parts.map(position).collect::<Option<BTreeMap<_, _>>>()?;
        Some(Cursor { epoch: epoch.to_owned(), positions })
    }

    /// The last event heard on a site; none when the cursor is of another life of the database, or never heard of the site.
    pub fn position(&self, epoch: &str, site: SiteId) -> Option<i64> {
        if self.epoch == epoch { self.positions.get(&site).copied() } else { None }
    }

    /// The position before the first event, for a site that the cursor never heard of; none for another epoch.
    pub fn same_life(&self, epoch: &str) -> Option<i64> {
        (self.epoch == epoch).then_some(0)
    }

    /// Notes an event as heard.
    pub fn advance(&mut self, site: SiteId, n: i64) {
        let position = self.positions.entry(site).or_insert(n);
        *position = (*position).max(n);
    }

    /// The sites it speaks of.
    pub fn sites(&self) -> impl Iterator<Item = SiteId> + '_ {
        self.positions.keys().copied()
    }
}
