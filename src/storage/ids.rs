//! Ids from blocks: small integers below 2^53 that every engine can give without a hot sequence.

use std::collections::HashMap;
use std::ops::Range;

use crate::error::{Error, Result};
use crate::id::Id;
use crate::values;

use super::{Tx, Value};

/// Ids fetched at once. A crash skips at most this many; whoever stops gives the rest back.
const BLOCK: i64 = 100;
/// Messages are many: fewer trips to the block table.
const LARGE_BLOCK: i64 = 4_000;

/// What an id is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the variants are the product's nouns")]
pub enum Kind {
    Account,
    Invitation,
    Session,
    Site,
    Key,
    Visitor,
    Person,
    Token,
    Conversation,
    Message,
    Image,
    Audit,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Account => "account",
            Kind::Invitation => "invitation",
            Kind::Session => "session",
            Kind::Site => "site",
            Kind::Key => "key",
            Kind::Visitor => "visitor",
            Kind::Person => "person",
            Kind::Token => "token",
            Kind::Conversation => "conversation",
            Kind::Message => "message",
            Kind::Image => "image",
            Kind::Audit => "audit",
        }
    }

    fn block(self) -> i64 {
        match self {
            Kind::Message => LARGE_BLOCK,
            _ => BLOCK,
        }
    }
}

const TAKE_BLOCK: &str = "INSERT INTO id_blocks (kind, next) VALUES ($1, 1 + $2)
    ON CONFLICT (kind) DO UPDATE SET next = id_blocks.next + $2 RETURNING next - $2";

const GIVE_BACK: &str = "UPDATE id_blocks SET next = $1 WHERE kind = $2 AND next = $3";

/// Statements of this file, for the test that prepares them all.
pub const SQL: &[&str] = &[TAKE_BLOCK, GIVE_BACK];

/// Blocks in hand. A block's row is undone with the transaction that took it, therefore a block taken by a transaction
/// becomes `kept` only after its commit; until then it serves that transaction alone.
#[derive(Default)]
pub(super) struct Blocks {
    kept: HashMap<Kind, Range<i64>>,
    taken: HashMap<Kind, Range<i64>>,
}

impl Blocks {
    /// The next id in hand.
    pub(super) fn next(&mut self, kind: Kind) -> Option<i64> {
        let kept = self.kept.get_mut(&kind).and_then(Iterator::next);
        kept.or_else(|| self.taken.get_mut(&kind).and_then(Iterator::next))
    }

    /// Keeps a block that the running transaction took.
    pub(super) fn take(&mut self, kind: Kind, first: i64) {
        self.taken.insert(kind, first..first + kind.block());
    }

    /// The statements that give back what was never used, so that people do not see "Visitor 17" and then "Visitor 101".
    pub(super) fn give_back(&mut self) -> Vec<(&'static str, [Value; 3])> {
        let unused = self.kept.drain().filter(|(_, ids)| !ids.is_empty());
        unused.map(|(kind, ids)| (GIVE_BACK, values![ids.start, kind.name(), ids.end])).collect()
    }

    pub(super) fn committed(&mut self) {
        self.kept.extend(self.taken.drain());
    }

    pub(super) fn undone(&mut self) {
        self.taken.clear();
    }
}

impl Tx {
    /// A fresh id. Unique for good, but not without gaps.
    pub fn next_id<T: Id>(&mut self, kind: Kind, wrap: fn(i64) -> T) -> Result<T> {
        if let Some(id) = self.blocks().next(kind) {
            return Ok(wrap(id));
        }
        let row: Option<(i64,)> = self.one(TAKE_BLOCK, values![kind.name(), kind.block()])?;
        let (first,) = row.ok_or_else(|| Error::Internal("no id block".into()))?;
        self.blocks().take(kind, first);
        self.blocks().next(kind).map(wrap).ok_or_else(|| Error::Internal("empty id block".into()))
    }
}
