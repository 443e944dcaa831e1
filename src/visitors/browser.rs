//! A user-agent header in words: browser, major version, system.

use crate::text;

/// Most specific first: nearly every browser also claims to be the ones below it.
const BROWSERS: &[(&str, &str)] = &[
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("YaBrowser/", "Yandex"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
];

const SYSTEMS: &[(&str, &str)] = &[
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// "Firefox 140 on Windows", and whether it is a phone or tablet.
pub fn describe(user_agent: &str) -> (Option<String>, bool) {
    let mobile = ["Mobile", "Android", "iPhone", "iPad"].iter().any(|mark| user_agent.contains(mark));
    let system = SYSTEMS.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name);
    let browser = BROWSERS.iter().find_map(|(mark, name)| {
        let rest = user_agent.split_once(mark)?.1;
        let major: String = rest.chars().take_while(char::is_ascii_digit).collect();
        Some(format!("{name} {major}").trim_end().to_owned())
    });
    let words = match (browser, system) {
        (Some(browser), Some(system)) => Some(format!("{browser} on {system}")),
        (Some(browser), None) => Some(browser),
        (None, _) => Some(text::cut_within(&text::line(user_agent), 60, 240)).filter(|text| !text.is_empty()),
    };
    (words, mobile)
}
