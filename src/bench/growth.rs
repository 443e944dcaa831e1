//! Latency of the same calls over a growing database, one at a time.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use hyper::Method;
use serde_json::json;

use super::Bench;
use super::client::{Client, HttpRequest};
use super::load::{self, Measured, RequestFactory};
use super::report::{Figure, Report};
use super::scenarios::{Setup, TEXT};
use super::server::OwnServer;
use super::store::{self, LONG_CONVERSATION, Size};
use crate::id::SiteId;

/// First size in messages; each size is ten times the one before.
const FIRST: i64 = 10_000;
/// Further sites of the measured account, unless it owns all of them.
const OWNED_SITES: i64 = 9;
/// Duration of each call's measurement at each size.
const TIME: Duration = Duration::from_millis(1_500);

/// Fills the database of the benchmark's own server up to the configured number of messages, and measures at every
/// size.
pub async fn run(setup: &mut Setup, own: &mut OwnServer, bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let mut size = Size::default();
    let mut messages = FIRST;
    let owned = if bench.one_owner { i64::MAX } else { OWNED_SITES };
    while messages <= bench.growth {
        let larger = Size { messages, sites: messages / bench.messages_a_site, owned };
        own.stop()?;
        store::grow(&own.data(), SiteId(setup.owner.site), size, larger, TEXT).await?;
        let start = own.restart().await?;
        setup.pid = Some(own.pid());
        setup.owner.reconnect().await?;
        report
            .add(Figure::value("growth_start", "process start to ready", "ms", start.as_secs_f64() * 1e3).at(messages));
        size = larger;
        measure(setup, messages, report).await?;
        messages *= 10;
    }
    Ok(())
}

async fn measure(setup: &Setup, messages: i64, report: &mut Report) -> anyhow::Result<()> {
    let (target, shop, site) = (setup.target, setup.shop.clone(), setup.owner.site);
    let mut newest = Client::connect(target, None).await?;
    // So that the list of recent messages is not empty.
    newest.json(setup.visitors[0].message(target, TEXT)).await?;
    let recent: RequestFactory = Arc::new(move |n| {
        // A different limit each time: a repeated request would measure the response cache.
        let query = format!("get_recent_messages&limit={}", 50 + n % 100);
        shop.script(target, Method::GET, &query, &json!({}))
    });
    let calls: [(&'static str, &str, RequestFactory); 9] = [
        // Measured before much is sent: messages that are not indexed yet are scanned, the same number at every size.
        ("growth_search", "a search for what every message says", console(setup, |_| "search?q=shipped+th".into())),
        (
            "growth_search_rare",
            "a search for the one message with a number",
            console(setup, move |n| format!("search?q=blue+{}", below(n, messages))),
        ),
        ("growth_search_none", "a search for what nobody said", console(setup, |n| format!("search?q=blue+zebra{n}"))),
        ("growth_send", "a visitor sends", setup.sending()),
        ("growth_recent", "get_recent_messages, 50 to 149 messages", recent),
        ("growth_inbox", "the console opens: 50 conversations", console(setup, |_| "conversations?limit=50".into())),
        ("growth_sites", "the console's list of its sites", console(setup, |_| "my-sites".into())),
        ("growth_thread", "a conversation opens: 50 messages", console(setup, move |_| thread(site, ""))),
        (
            "growth_history",
            "a page further up in a conversation of a tenth of all messages",
            console(setup, move |n| thread(site, &format!("&before_seq={}", 100 + below(n, messages / 10)))),
        ),
    ];
    for (name, what, make) in calls {
        let client = Client::connect(target, None).await?;
        let measured = load::closed(vec![client], TIME, make).await;
        check(&measured).with_context(|| name)?;
        report.add(Figure::latency(name, what, &measured).at(messages));
    }
    Ok(())
}

fn check(measured: &Measured) -> anyhow::Result<()> {
    anyhow::ensure!(measured.failed == 0 && measured.done > 0, "{} calls failed", measured.failed);
    Ok(())
}

/// A pseudo-random number below `end`, for each `n`.
fn below(n: u64, end: i64) -> i64 {
    let place = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 1;
    i64::try_from(place).unwrap_or(0) % end.max(1)
}

fn thread(site: i64, rest: &str) -> String {
    format!("sites/{site}/conversations/{LONG_CONVERSATION}?limit=50{rest}")
}

fn console(setup: &Setup, path: impl Fn(u64) -> String + Send + Sync + 'static) -> RequestFactory {
    let console_requests = setup.owner.console_requests();
    Arc::new(move |n| -> HttpRequest { console_requests(&path(n)) })
}
