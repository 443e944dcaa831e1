//! What reads the bytes of strangers, as functions of bytes. Each says whether it took them, and panics when it took what
//! it should not, or cannot read again what it wrote.
//!
//! The fuzzer calls them with what it invents; `tests/suite/parsers.rs` with the seeds and with broken forms of these.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ocs::accounts::normalise_email;
use ocs::chat_api::{Reply, decode_image};
use ocs::clock::Millis;
use ocs::config::Config;
use ocs::conversations::InboxPoint;
use ocs::events::{Cursors, Holder};
use ocs::http::address::resolve;
use ocs::http::body::object;
use ocs::hub::{OperatorHello, OperatorHint, VisitorHello, VisitorHint};
use ocs::id::{SiteId, WorkspaceId};
use ocs::images::{FileName, ImageName, MAX_FRAME_PIXELS, MAX_SIDE, MAX_THUMBNAIL_SIDE, make_thumbnail, reencode};
use ocs::messages::{ClientId, Text};
use ocs::search::Query;
use ocs::secret::Secret;
use ocs::sites::{Colour, ConfigureSite, Look};
use ocs::vault::Vault;
use ocs::visitors::{Validity, verify};
use ocs::widget_api::Command;

/// Says whether it took the bytes.
pub type Input = fn(&[u8]) -> bool;

/// All of them, by the names of their folders of seeds.
pub const ALL: &[(&str, Input)] = &[
    ("addresses", addresses),
    ("chat_api", chat_api),
    ("commands", commands),
    ("config", config),
    ("cursors", cursors),
    ("emails", emails),
    ("frames", frames),
    ("identity", identity),
    ("images", images),
    ("names", names),
    ("searches", searches),
    ("sites", sites),
];

/// The connection's peer in the first line, `X-Forwarded-For` in the second.
pub fn addresses(bytes: &[u8]) -> bool {
    let Some((peer, forwarded)) = lines(bytes) else { return false };
    let Ok(peer) = peer.parse::<IpAddr>() else { return false };
    let Ok(value) = forwarded.parse() else { return false };
    let headers = [(hyper::header::HeaderName::from_static("x-forwarded-for"), value)].into_iter().collect();
    let flag = [("trusted_proxies", "10.0.0.0/8, ::1".to_owned())];
    let config = Config::load(None, std::iter::empty(), &flag).expect("two networks");
    let found = resolve(peer, &headers, &config.trusted_proxies);
    let address = |hop: &str| {
        let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
        bare.parse::<IpAddr>().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|hop| hop.ip()))
    };
    let named = forwarded.split(',').filter_map(|hop| address(hop.trim())).map(|hop| hop.to_canonical());
    let is_proxy = config.trusted_proxies.iter().any(|network| network.contains(peer));
    assert!(found == peer.to_canonical() || is_proxy && named.into_iter().any(|hop| hop == found), "{found}");
    found != peer.to_canonical()
}

/// The content type in the first line, the body of `reply_as_agent` after it.
pub fn chat_api(bytes: &[u8]) -> bool {
    const LIMIT: usize = 4_096;
    let (kind, body) = bytes.split_at(bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len()));
    let Ok(kind) = hyper::header::HeaderValue::from_bytes(kind) else { return false };
    let request = hyper::Request::builder().header("content-type", kind).body(());
    let (parts, ()) = request.expect("one header").into_parts();
    let body = bytes::Bytes::copy_from_slice(body.get(1..).unwrap_or_default());
    let Ok(reply) = Reply::parse(&parts, &body) else { return false };
    let image = reply.image_base64.as_deref().map(|text| decode_image(text.trim(), LIMIT));
    assert!(!matches!(&image, Some(Ok(bytes)) if bytes.len() > LIMIT));
    let says_something = reply.content.as_deref().is_some_and(is_clean_text) || matches!(image, Some(Ok(_)));
    reply.conversation().is_ok() && says_something
}

/// What a panel asks for.
pub fn commands(bytes: &[u8]) -> bool {
    match object(bytes) {
        Ok(Command::Start(start)) => start.check(std::str::from_utf8(bytes).ok(), Millis(0)).is_ok_and(|arrival| {
            assert!(!arrival.external_id.is_empty() && !arrival.external_id.chars().any(char::is_control));
            assert!(arrival.mended.len() <= 40 && arrival.mended.iter().all(|said| said.len() < 1_000));
            assert!(arrival.attributes.iter().flatten().all(|(name, text)| name.len() <= 256 && text.len() <= 256));
            assert!(arrival.page.iter().all(|page| page.url.len() <= 2_048 && page.title.len() <= 2_048));
            true
        }),
        Ok(_) => true,
        Err(_) => false,
    }
}

/// A file of settings.
pub fn config(bytes: &[u8]) -> bool {
    let Some(text) = text(bytes) else { return false };
    let Ok(config) = Config::of_text("ocs.toml", text) else { return false };
    let url = config.public_url();
    assert!(url.starts_with("http://") || url.starts_with("https://"), "{url}");
    assert!(!config.effective().is_empty());
    true
}

/// The cursors of a database, and a console of it: the seeds are theirs.
static CURSORS: LazyLock<Cursors> = LazyLock::new(|| {
    let key = Secret::new("MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY");
    Cursors::new("k3Zx9", &Vault::open(Path::new("unused"), Some(&key)).expect("a key"))
});
const CONSOLE: Holder = Holder::Console { workspace: WorkspaceId(47), version: 2, limited: false };

/// Where a client stands in the log, and where a page of the inbox begins.
pub fn cursors(bytes: &[u8]) -> bool {
    let Some(text) = text(bytes) else { return false };
    let mut taken = false;
    for holder in [CONSOLE, Holder::Page(SiteId(7))] {
        if let Some(n) = CURSORS.read(holder, text) {
            let written = CURSORS.write(holder, n).expect("random bytes");
            assert_eq!(CURSORS.read(holder, &written), Some(n));
            taken = true;
        }
    }
    if let Ok(point) = InboxPoint::parse(text) {
        let written = point.to_text();
        assert_eq!(InboxPoint::parse(&written).expect("its own words").to_text(), written);
        taken = true;
    }
    taken
}

/// The address that somebody signs in with.
pub fn emails(bytes: &[u8]) -> bool {
    let Some(Ok(email)) = text(bytes).map(normalise_email) else { return false };
    assert_eq!(normalise_email(&email).expect("its own words"), email);
    assert!(email.len() <= 254 && !email.contains(char::is_whitespace) && !email.contains(char::is_control));
    true
}

/// What comes up a socket, from both sides.
pub fn frames(bytes: &[u8]) -> bool {
    object::<VisitorHello>(bytes).is_ok()
        | object::<OperatorHello>(bytes).is_ok()
        | object::<VisitorHint>(bytes).is_ok()
        | object::<OperatorHint>(bytes).is_ok()
}

/// Header and claims in two lines, signed here with the right secret; and the bytes as the whole token, where nothing but
/// luck could make a good one.
pub fn identity(bytes: &[u8]) -> bool {
    let (secret, now) = (Secret::new("ids_secret"), Millis(900_000));
    let good = |token: &str| matches!(verify(token, "vera", std::slice::from_ref(&secret), now), Ok(Validity::Valid));
    let Some(text) = text(bytes) else { return false };
    assert!(!good(text), "an unsigned token was taken");
    let Some((header, claims)) = text.split_once('\n') else { return false };
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.expose().as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(ring::hmac::sign(&key, signed.as_bytes()));
    if !good(&format!("{signed}.{signature}")) {
        return false;
    }
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
    assert_eq!((&read(header)["alg"], &read(claims)["sub"]), (&"HS256".into(), &"vera".into()));
    let exp = read(claims)["exp"].as_i64().expect("a time");
    assert!((840..=87_360).contains(&exp), "{exp}");
    true
}

/// An uploaded picture: what is kept of it is a picture within the limits, and can be cleaned again.
pub fn images(bytes: &[u8]) -> bool {
    let Ok(reencoded) = reencode(bytes) else { return false };
    let (width, height) = (reencoded.still.width(), reencoded.still.height());
    assert!(width <= MAX_SIDE && height <= MAX_SIDE && u64::from(width) * u64::from(height) <= MAX_FRAME_PIXELS);
    let again = reencode(&reencoded.bytes).expect("its own picture");
    assert_eq!((again.still.width(), again.still.height()), (width, height));
    assert_eq!((again.format, again.animated), (reencoded.format, reencoded.animated));
    let small = make_thumbnail(&reencoded.still, MAX_THUMBNAIL_SIDE).expect("a thumbnail");
    assert!(reencode(&small.bytes).is_ok());
    true
}

/// Names of files and messages, a colour, a text.
pub fn names(bytes: &[u8]) -> bool {
    let Some(text) = text(bytes) else { return false };
    let plain = |name: &str| name == text && !text.contains(['/', '\\', '\0']) && text.matches('.').count() == 1;
    let image = ImageName::parse(text).map(|name| assert!(plain(name.as_str()), "{text}"));
    let logo = FileName::parse_logo(text).map(|name| assert!(plain(name.as_str()), "{text}"));
    let id = ClientId::parse(text).map(|id| {
        assert!(text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte)));
        assert_eq!(id.as_str(), text);
    });
    let colour = Colour::try_from(text.to_owned())
        .map(|colour| assert_eq!(String::from(colour), text.to_ascii_lowercase(), "{text}"));
    image.is_some() | logo.is_some() | id.is_ok() | colour.is_ok() | is_clean_text(text)
}

/// What an owner sets for a site.
pub fn sites(bytes: &[u8]) -> bool {
    let look = object::<Look>(bytes).is_ok_and(|look| look.check().is_ok());
    look | object::<ConfigureSite>(bytes).is_ok()
}

/// What is taken as a message's text holds no controls, and stays as it is when it is sent again.
fn is_clean_text(text: &str) -> bool {
    let Ok(kept) = Text::parse(text) else { return false };
    assert!(!kept.as_str().chars().any(|c| c.is_control() && c != '\n' && c != '\t'), "{text:?}");
    assert_eq!(Text::parse(kept.as_str()).expect("its own words").as_str(), kept.as_str());
    true
}

/// What an operator looks for in the first line, and what a visitor wrote after it.
pub fn searches(bytes: &[u8]) -> bool {
    let Some((query, said)) = lines(bytes) else { return false };
    let Ok(query) = Query::parse(query) else { return false };
    let Some(places) = query.find(said).filter(|places| !places.is_empty()) else { return false };
    assert!(places.iter().all(|place| said.get(place.clone()).is_some_and(|found| !found.is_empty())));
    assert!(places.windows(2).all(|two| two[0].end < two[1].start), "{places:?}");
    true
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

fn lines(bytes: &[u8]) -> Option<(&str, &str)> {
    text(bytes)?.split_once('\n')
}
