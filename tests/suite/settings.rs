//! Every setting is typed and bounded: a value that it cannot have is refused, with what would be right.

use std::collections::BTreeSet;

use ocs::config::Config;

/// Values that each setting refuses. A new setting needs a row here.
const REFUSED: &[(&str, &[&str])] = &[
    ("listen", &["8080", "localhost:8080", "127.0.0.1:99999", ""]),
    ("data", &[""]),
    (
        "public_url",
        &[
            "chat.example",
            "ftp://chat.example",
            "https://chat.example/app",
            "https://a b",
            "https://<script>",
            "https://x\"onload",
            "https://[::1",
            "https://[::g]",
            "https://::1",
            "https://x:99999",
            "https://x:0",
            "https://x:",
            "https://x:080",
            "https://a;b",
            "https://*",
            "https://*.chat.example",
            "https://xn--",
            "https://chat..example",
            "https://-x.example",
            "https://1.2.3",
            "https://chat.example.0x7f",
            "https://999.1.1.1",
            "https://[1.2.3.4]",
            "https:///",
        ],
    ),
    ("signup", &["", "yes", "Open"]),
    ("trusted_proxies", &["proxy.example", "10.0.0.0/33", "::1/200", "10.0.0.1, x"]),
    ("metrics_from", &["proxy.example", "10.0.0.0/33", "::1/200", "10.0.0.1, x"]),
    (
        "acme_domains",
        &["../../x", "chat.example, ../x", "*.chat.example", "chat..example", "127.0.0.1", "a b", "-x.example"],
    ),
    ("acme_email", &["otto", "@chat.example", "otto@", "otto@chat.example, x@y", "o tto@chat.example"]),
    ("acme_directory", &["", "acme", "http://acme.example/directory", "file:///etc/passwd", "https://"]),
    ("max_connections", &["0", "-1", "1000001", "many", "1.5", ""]),
    ("max_connections_per_address", &["0", "1000001"]),
    ("head_seconds", &["0", "366", "10s"]),
    ("idle_seconds", &["0", "366"]),
    ("body_seconds", &["0", "366"]),
    ("hsts_days", &["366", "-1"]),
    ("new_visitors_per_hour", &["0", "1000001"]),
    ("attack_visitors_per_minute", &["0", "1000001"]),
    ("event_days", &["0", "366", "seven"]),
    ("drain_seconds", &["61", "-1"]),
    ("log_format", &["", "xml"]),
    (
        "master_key",
        &[
            "abc",
            "not base64 not base64 not base64 not base64",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "MDEyMzQ1NjcwMTIzNDU2NzAxMjM0NTY3MDEyMzQ1Njc",
        ],
    ),
    ("sites_per_workspace", &["0", "10001", "-1", "many", ""]),
    ("log", &["%%%", "", "info,ocs=loud", "ocs", "debug,", "=info", "5"]),
];

/// Settings that are a path: anything but nothing names one.
const PATHS: &[&str] = &["tls_cert", "tls_key", "data"];

fn with(key: &str, value: &str) -> Result<Config, String> {
    Config::load(None, std::iter::empty(), &[(key, value.to_owned())]).map_err(|error| error.to_string())
}

#[test]
fn no_setting_takes_a_value_that_it_cannot_have() {
    let tested: BTreeSet<&str> = REFUSED.iter().map(|(key, _)| *key).chain(PATHS.iter().copied()).collect();
    let all: BTreeSet<&str> = Config::table().iter().map(|row| row.key).collect();
    assert_eq!(all, tested, "a setting without a test");
    for (key, values) in REFUSED {
        for value in *values {
            let refused = with(key, value).expect_err(&format!("{key} = {value:?} is taken"));
            assert!(refused.starts_with(&format!("command line: `{key}` is ")), "{refused}");
            let quoted = match *value {
                _ if *key == "master_key" => "not a key".to_owned(),
                "" => "empty".to_owned(),
                value => format!("`{value}`"),
            };
            let (what, right) = refused.split_once("; ").expect("what is right");
            assert!(what.ends_with(&quoted) && !right.is_empty(), "{refused}");
        }
    }
}

#[test]
fn every_default_is_a_value_that_it_can_have() {
    for row in Config::table() {
        if let Err(refused) = with(row.key, &row.default) {
            panic!("{refused}");
        }
        let bounds = with(row.key, "999999999").err().and_then(|refused| {
            let (_, bounds) = refused.split_once("a number from ")?;
            Some(bounds.replace("1000000", "1,000,000").replace("10000", "10,000"))
        });
        assert!(bounds.is_none_or(|bounds| row.doc.contains(&bounds)), "{}: its bounds are not told", row.key);
    }
    for (key, value) in [
        ("log", "info"),
        ("log", "warn,ocs=debug,hyper::proto=off"),
        ("acme_domains", "Chat.Example, www.chat.example"),
        ("acme_email", "otto+acme@chat.example"),
        ("acme_directory", "http://127.0.0.1:14000/dir"),
        ("public_url", "http://localhost"),
        ("public_url", "http://192.168.0.7:8080"),
        ("public_url", "https://[2001:db8::1]:8443"),
        ("public_url", "https://xn--bcher-kva.example"),
        ("master_key", "bAchBzOKMeyZu7A3Tj-yKsisNQxjume_SwJSZ20i89U"),
        ("tls_cert", "/etc/ocs/cert.pem"),
    ] {
        with(key, value).unwrap_or_else(|refused| panic!("{refused}"));
    }
}

#[test]
fn a_network_of_nearly_everybody_is_no_proxy() {
    let warnings = |value: &str| with("trusted_proxies", value).expect(value).warnings();
    for everybody in ["0.0.0.0/0", "::/0", "10.0.0.1, 128.0.0.0/1", "2000::/3"] {
        let said = warnings(everybody);
        assert!(said.len() == 1 && said[0].contains("trusted_proxies"), "{everybody}: {said:?}");
    }
    assert!(warnings("10.0.0.0/8, fc00::/7, fe80::/10, 203.0.113.7").is_empty());
}
