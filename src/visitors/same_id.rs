//! Do all visitors of a site arrive under one external id? Then a page gives a constant where it should name its visitor.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::clock::Millis;
use crate::error::Result;
use crate::id::{SiteId, WorkspaceId};
use crate::storage::Store;

use super::{Proof, store};

/// The external id in the line that the console and the demo page print for the site's developer to fill in.
pub const SAMPLE_ID: &str = "THE ID OF THE SIGNED-IN VISITOR";
/// External ids of the documentation's example and of the printed line. Nobody has them, so one visitor under either is
/// enough.
const SAMPLES: [&str; 2] = ["user_12345", SAMPLE_ID];
/// Newest browsers of a site that are looked at. Also how many must come after the page was mended, where none of them
/// has an id of its own, until the site counts as mended.
const BROWSERS: i64 = 10;
/// Networks from which one id must have come. One person who tests has fewer: home, work, a phone.
const NETWORKS: usize = 5;

/// One of 256 buckets of networks. Browsers in different buckets came from different networks; a bucket holds too many
/// networks to tell which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NetworkBucket(pub u8);

impl NetworkBucket {
    /// The bucket of a network, as limits count networks.
    pub fn of(network: u128) -> NetworkBucket {
        let [bucket, ..] = <[u8; 32]>::from(Sha256::digest(network.to_be_bytes()));
        NetworkBucket(bucket)
    }
}

/// The one external id under which all named visitors of a site arrive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct SameExternalId {
    /// The id.
    pub external_id: String,
    /// It is that of an example, to be replaced.
    pub sample: bool,
    /// When a browser last came with it for the first time.
    pub at: Millis,
}

/// The sites of a workspace, or one of them, whose newest visitors all arrive under one external id without a signature:
/// from five networks or more, or under the example's id. Visitors without an id are passed over.
///
/// # Errors
/// When the database fails.
pub async fn same_external_ids(
    store: &Store,
    workspace: WorkspaceId,
    site: Option<SiteId>,
) -> Result<HashMap<SiteId, SameExternalId>> {
    let rows = store::newest_browsers(store, workspace, site, BROWSERS).await?;
    let by_site = rows.chunk_by(|one, other| one.site_id == other.site_id);
    Ok(by_site.filter_map(|browsers| Some((browsers.first()?.site_id, same_id(browsers)?))).collect())
}

/// `browsers`: of one site, newest first.
fn same_id(browsers: &[store::BrowserRow]) -> Option<SameExternalId> {
    let mut named = browsers.iter().filter(|browser| !browser.anonymous).peekable();
    let newest = *named.peek()?;
    // A browser counts once, wherever it goes.
    let mut networks: HashMap<&str, Option<i64>> = HashMap::new();
    for browser in named {
        if browser.external_id != newest.external_id || Proof::parse(&browser.proof) == Proof::Signed {
            return None;
        }
        networks.insert(&browser.proof, browser.network);
    }
    let networks: HashSet<i64> = networks.into_values().flatten().collect();
    let sample = SAMPLES.contains(&newest.external_id.as_str());
    let (external_id, at) = (newest.external_id.clone(), newest.created_at);
    (sample || networks.len() >= NETWORKS).then_some(SameExternalId { external_id, sample, at })
}
