//! The end of an attack, and its dismissal by the owner.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::audit::{self, Action, By};
use crate::error::{Error, Result};
use crate::id::SiteId;
use crate::sites;
use crate::storage::Tx;

use super::{Abuse, store};

/// Interval between checks.
const CHECK_INTERVAL: Duration = Duration::from_secs(10);

/// Records the end of attacks. Never returns; spawn it as a background task.
pub async fn run(abuse: Arc<Abuse>) {
    // Attacks that were in progress when the server stopped have ended; one that continues is detected again.
    record_ends(&abuse, store::under_way(&abuse.store).await).await;
    loop {
        tokio::time::sleep(CHECK_INTERVAL).await;
        record_ends(&abuse, Ok(abuse.floods.remove_ended(Instant::now()))).await;
    }
}

async fn record_ends(abuse: &Abuse, over: Result<Vec<SiteId>>) {
    let recorded = async {
        for site in over? {
            let act = move |tx: &mut Tx| {
                store::end(tx, site)?;
                sites::changed(tx, site)
            };
            abuse.store.write(act).await?;
            tracing::info!(%site, "the attack is over");
        }
        Result::Ok(())
    };
    if let Err(error) = recorded.await {
        tracing::warn!(%error, "the end of an attack could not be recorded; the console shows it as in progress");
    }
}

/// Dismisses the attacks on a site: the console no longer shows them, and what came with them stays.
///
/// # Errors
/// `Conflict` while an attack is in progress.
pub async fn dismiss(abuse: &Abuse, by: &By, site: SiteId) -> Result<()> {
    if abuse.floods.is_under_way(site) {
        return Err(Error::Conflict("the attack is still under way"));
    }
    let by = by.clone();
    let act = move |tx: &mut Tx| {
        if store::dismiss(tx, site)? > 0 {
            audit::record(tx, &by, Action::AttackSettled, Some(site), "")?;
            sites::changed(tx, site)?;
        }
        Ok(())
    };
    abuse.store.write(act).await
}
