//! TLS certificates: read from PEM files, selected during the handshake, and their expiry.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use anyhow::Context;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::tls::ACME_PROTOCOL;

/// The certificate in use, and the challenge certificates for an ACME authority.
#[derive(Debug, Default)]
pub struct Certificates {
    // Never held across an await.
    current: RwLock<Option<Arc<CertifiedKey>>>,
    challenges: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl Certificates {
    /// Serves this certificate from the next handshake on.
    pub fn replace(&self, pair: CertifiedKey) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(pair));
    }

    /// Serves a challenge certificate for a name until [`Self::forget_challenges`].
    pub fn challenge(&self, name: &str, pair: CertifiedKey) {
        let mut challenges = self.challenges.lock().unwrap_or_else(PoisonError::into_inner);
        challenges.insert(name.to_ascii_lowercase(), Arc::new(pair));
    }

    /// Removes all challenge certificates.
    pub fn forget_challenges(&self) {
        self.challenges.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let asks = hello.alpn().is_some_and(|mut protocols| protocols.any(|protocol| protocol == ACME_PROTOCOL));
        if asks {
            let name = hello.server_name()?.to_ascii_lowercase();
            return self.challenges.lock().unwrap_or_else(PoisonError::into_inner).get(&name).cloned();
        }
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Reads a certificate chain and its key, and checks that they match.
pub fn read_pair(cert: &Path, key: &Path) -> anyhow::Result<CertifiedKey> {
    let cannot = |path: &Path| format!("{} cannot be read", path.display());
    let chain = std::fs::read(cert).with_context(|| cannot(cert))?;
    let secret = std::fs::read(key).with_context(|| cannot(key))?;
    parse_pair(&chain, &secret).with_context(|| format!("{} and {}", cert.display(), key.display()))
}

/// As [`read_pair`], from PEM text.
pub fn parse_pair(chain: &[u8], key: &[u8]) -> anyhow::Result<CertifiedKey> {
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(chain).collect::<Result<_, _>>().context("the certificate is not PEM")?;
    anyhow::ensure!(!chain.is_empty(), "the certificate file holds no certificate");
    let key = PrivateKeyDer::from_pem_slice(key).context("the key is not PEM")?;
    CertifiedKey::from_der(chain, key, &ring::default_provider()).context("the key does not belong to the certificate")
}

/// Expiry of the first certificate of the chain, in Unix seconds.
pub fn expires_at(pair: &CertifiedKey) -> Option<i64> {
    not_after(pair.cert.first()?)
}

/// Finds `validity` in a certificate (RFC 5280, 4.1): the fifth field of `TBSCertificate`, not counting the optional
/// version.
fn not_after(certificate: &[u8]) -> Option<i64> {
    const SEQUENCE: u8 = 0x30;
    const VERSION: u8 = 0xa0;
    let (_, outer, _) = field(certificate)?;
    let (_, mut inner, _) = field(outer)?;
    if inner.first() == Some(&VERSION) {
        inner = field(inner)?.2;
    }
    // serial number, signature algorithm, issuer
    for _ in 0..3 {
        inner = field(inner)?.2;
    }
    let (tag, validity, _) = field(inner)?;
    let (_, _, rest) = field(validity).filter(|_| tag == SEQUENCE)?;
    let (kind, text, _) = field(rest)?;
    parse_time(kind, std::str::from_utf8(text).ok()?)
}

/// Splits off one DER field: its tag, its content, and the remaining bytes.
pub(super) fn field(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        let digits = rest.get(..count).filter(|_| count <= 4)?;
        (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), &rest[count..])
    };
    Some((tag, rest.get(..length)?, rest.get(length..)?))
}

/// Parses `UTCTime` (two-digit years from 50 are 19xx) or `GeneralizedTime`, into Unix seconds.
fn parse_time(kind: u8, text: &str) -> Option<i64> {
    const UTC_TIME: u8 = 0x17;
    let whole = match kind {
        UTC_TIME if text.get(..2)?.parse::<u8>().ok()? >= 50 => format!("19{text}"),
        UTC_TIME => format!("20{text}"),
        _ => text.to_owned(),
    };
    let parse_time = jiff::civil::DateTime::strptime("%Y%m%d%H%M%SZ", whole).ok()?;
    Some(parse_time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_read_and_its_end_is_known() {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut params = rcgen::CertificateParams::new(["chat.example".to_owned()]).expect("a name");
        for (year, seconds) in [(2031, 1_954_454_400), (2099, 4_100_371_200)] {
            params.not_after = rcgen::date_time_ymd(year, 12, 8);
            let certificate = params.self_signed(&key).expect("a certificate");
            let pair = parse_pair(certificate.pem().as_bytes(), key.serialize_pem().as_bytes()).expect("a pair");
            assert_eq!(expires_at(&pair), Some(seconds), "{year}");
        }
        let other = rcgen::KeyPair::generate().expect("a key").serialize_pem();
        let certificate = params.self_signed(&key).expect("a certificate").pem();
        assert!(parse_pair(certificate.as_bytes(), other.as_bytes()).is_err());
        assert!(parse_pair(b"nothing", other.as_bytes()).is_err());
    }
}
