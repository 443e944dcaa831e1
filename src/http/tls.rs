//! TLS of our own: from certificate files, or from a certificate authority by ACME (`acme`). A certificate is replaced
//! while connections go on.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::ring;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::config::Config;
use crate::storage::Folder;

use super::acme::Authority;
use super::certificate::{Certificates, read_pair};

/// The protocol by which a certificate authority checks that a name is ours (RFC 8737).
pub(super) const ACME_PROTOCOL: &[u8] = b"acme-tls/1";
/// Time between two looks at the certificate files.
const LOOK_PAUSE: Duration = Duration::from_secs(30);

/// Accepts TLS connections.
#[derive(Clone)]
pub struct Acceptor(TlsAcceptor);

impl Acceptor {
    /// Around these certificates.
    pub(super) fn new(certificates: Arc<Certificates>) -> anyhow::Result<Acceptor> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(certificates);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec(), ACME_PROTOCOL.to_vec()];
        Ok(Acceptor(TlsAcceptor::from(Arc::new(config))))
    }

    /// Shakes hands; none when the connection was not for us (a challenge of a certificate authority).
    ///
    /// # Errors
    /// The handshake failed.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<Option<TlsStream<TcpStream>>> {
        let stream = self.0.accept(stream).await?;
        let challenge = stream.get_ref().1.alpn_protocol() == Some(ACME_PROTOCOL);
        Ok((!challenge).then_some(stream))
    }
}

/// The acceptor that the settings ask for; none where they ask for no TLS. Starts the task that keeps the certificate
/// fresh.
///
/// # Errors
/// The certificate or key cannot be used.
pub fn acceptor(config: &Config, folder: &Folder) -> anyhow::Result<Option<Acceptor>> {
    let certificates = Arc::new(Certificates::default());
    match (&config.tls_cert, &config.tls_key) {
        (Some(cert), Some(key)) => {
            anyhow::ensure!(
                config.acme_domains.is_empty(),
                "acme_domains and tls_cert are both set; choose one of them"
            );
            let files = Files { cert: cert.clone(), key: key.clone() };
            let seen = files.changed_at();
            certificates.replace(read_pair(&files.cert, &files.key)?);
            tokio::spawn(watch(files, seen, certificates.clone()));
        }
        (None, None) if config.acme_domains.is_empty() => return Ok(None),
        (None, None) => {
            let authority = Authority::new(config, folder.certificates())?;
            tokio::spawn(authority.keep_fresh(certificates.clone()));
        }
        _ => anyhow::bail!("tls_cert and tls_key belong together; only one of them is set"),
    }
    Acceptor::new(certificates).map(Some)
}

/// A certificate and its key on disk.
struct Files {
    cert: PathBuf,
    key: PathBuf,
}

impl Files {
    fn changed_at(&self) -> [Option<SystemTime>; 2] {
        [&self.cert, &self.key].map(|path| path.metadata().and_then(|data| data.modified()).ok())
    }
}

/// Takes up new files soon after they are written. While the two do not fit each other, the old pair stays.
async fn watch(files: Files, mut seen: [Option<SystemTime>; 2], certificates: Arc<Certificates>) {
    loop {
        tokio::time::sleep(LOOK_PAUSE).await;
        let now = files.changed_at();
        if now == seen {
            continue;
        }
        match read_pair(&files.cert, &files.key) {
            Ok(pair) => {
                certificates.replace(pair);
                seen = now;
                tracing::info!("the new certificate is in use");
            }
            Err(error) => tracing::warn!(%error, "the new certificate cannot be used; the old one stays"),
        }
    }
}
