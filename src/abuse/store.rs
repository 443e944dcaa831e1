//! SQL of attacks.

use crate::clock::Millis;
use crate::error::Result;
use crate::id::SiteId;
use crate::storage::{Store, Tx};
use crate::values;

use super::Attack;

const BEGIN: &str =
    "INSERT INTO attacks (site_id, began_at) VALUES ($1, $2) ON CONFLICT (site_id, began_at) DO NOTHING";
const END: &str = "UPDATE attacks SET ended_at = $2 WHERE site_id = $1 AND ended_at IS NULL";
const DISMISS: &str = "UPDATE attacks SET ended_at = COALESCE(ended_at, $2), settled_at = $2
    WHERE site_id = $1 AND settled_at IS NULL";
const UNDER_WAY: &str = "SELECT DISTINCT site_id FROM attacks WHERE ended_at IS NULL";
const PENDING: &str = "SELECT began_at, ended_at FROM attacks WHERE site_id = $1 AND settled_at IS NULL
    ORDER BY began_at";

/// All statements of this file, for the test that prepares them.
pub const SQL: &[&str] = &[BEGIN, END, DISMISS, UNDER_WAY, PENDING];

pub(super) fn begin(tx: &mut Tx, site: SiteId) -> Result<()> {
    let now = tx.now();
    tx.run(BEGIN, values![site, now]).map(drop)
}

pub(super) fn end(tx: &mut Tx, site: SiteId) -> Result<()> {
    let now = tx.now();
    tx.run(END, values![site, now]).map(drop)
}

/// Settles all of a site; answers how many.
pub(super) fn dismiss(tx: &mut Tx, site: SiteId) -> Result<u64> {
    let now = tx.now();
    tx.run(DISMISS, values![site, now])
}

pub(super) async fn under_way(store: &Store) -> Result<Vec<SiteId>> {
    let rows: Vec<(SiteId,)> = store.all(UNDER_WAY, []).await?;
    Ok(rows.into_iter().map(|(site,)| site).collect())
}

/// The attacks on a site that are not dismissed, as one period.
pub(super) async fn pending(store: &Store, site: SiteId) -> Result<Option<Attack>> {
    let rows: Vec<(Millis, Option<Millis>)> = store.all(PENDING, values![site]).await?;
    let (Some((began_at, _)), Some((_, ended_at))) = (rows.first(), rows.last()) else { return Ok(None) };
    Ok(Some(Attack { began_at: *began_at, ended_at: *ended_at }))
}
