//! The end of an attack, and the owner's word that it needs no clean-up.

use std::time::{Duration, Instant};

use crate::app::App;
use crate::audit::{self, Action, By};
use crate::error::{Error, Result};
use crate::id::SiteId;
use crate::sites;

use super::store;

/// Time between two looks.
const PAUSE: Duration = Duration::from_secs(10);

/// Notes attacks that are over. Ends never; run it beside the server.
pub async fn run(app: App) {
    // What was under way when the server stopped: if it goes on, it is noticed anew.
    note_ends(&app, store::under_way(&app.store).await).await;
    loop {
        tokio::time::sleep(PAUSE).await;
        note_ends(&app, Ok(app.attacks.floods.take_over(Instant::now()))).await;
    }
}

async fn note_ends(app: &App, over: Result<Vec<SiteId>>) {
    let noted = async {
        for site in over? {
            let mut tx = app.store.begin().await?;
            store::end(&mut tx, site).await?;
            sites::changed(app, &mut tx, site).await?;
            tx.commit().await?;
            tracing::info!(%site, "the attack is over");
        }
        Result::Ok(())
    };
    if let Err(error) = noted.await {
        tracing::warn!(%error, "the end of an attack was not noted; the console shows it as under way");
    }
}

/// The owner wants to hear no more of the attacks on a site; what came with them stays.
///
/// # Errors
/// `Conflict` while one is under way.
pub async fn settle(app: &App, by: &By, site: SiteId) -> Result<()> {
    if app.attacks.floods.is_under_way(site) {
        return Err(Error::Conflict("the attack is still under way"));
    }
    let mut tx = app.store.begin().await?;
    if store::settle(&mut tx, site).await? > 0 {
        audit::record(&mut tx, by, Action::AttackSettled, Some(site), "").await?;
        sites::changed(app, &mut tx, site).await?;
    }
    tx.commit().await
}
