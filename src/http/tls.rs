//! Built-in TLS: from certificate files, or by ACME (`acme`). A certificate is replaced without closing connections.

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

/// ALPN protocol by which a certificate authority validates a name (RFC 8737).
pub(super) const ACME_PROTOCOL: &[u8] = b"acme-tls/1";
/// Interval between checks of the certificate files.
const CHECK_INTERVAL: Duration = Duration::from_secs(30);

/// Accepts TLS connections.
#[derive(Clone)]
pub struct Acceptor(TlsAcceptor);

impl Acceptor {
    /// An acceptor that uses these certificates.
    pub(super) fn new(certificates: Arc<Certificates>) -> anyhow::Result<Acceptor> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(certificates);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec(), ACME_PROTOCOL.to_vec()];
        Ok(Acceptor(TlsAcceptor::from(Arc::new(config))))
    }

    /// Performs the handshake; `None` when it was a challenge of a certificate authority.
    ///
    /// # Errors
    /// The handshake failed.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<Option<TlsStream<TcpStream>>> {
        let stream = self.0.accept(stream).await?;
        let challenge = stream.get_ref().1.alpn_protocol() == Some(ACME_PROTOCOL);
        Ok((!challenge).then_some(stream))
    }
}

/// The acceptor from the settings; `None` without TLS. Spawns the task that renews or reloads the certificate.
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
            tokio::spawn(watch(files, seen, certificates.clone(), CHECK_INTERVAL));
        }
        (None, None) if config.acme_domains.is_empty() => return Ok(None),
        (None, None) => {
            let authority = Authority::new(config, folder.certificates())?;
            tokio::spawn(authority.renew_forever(certificates.clone()));
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

/// Reloads the files after a change. The old pair stays in use while the new files do not match.
async fn watch(files: Files, mut seen: [Option<SystemTime>; 2], certificates: Arc<Certificates>, pause: Duration) {
    loop {
        tokio::time::sleep(pause).await;
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

#[cfg(test)]
mod tests {
    use rustls::pki_types::CertificateDer;
    use rustls::{ClientConfig, RootCertStore};
    use tokio::net::TcpListener;

    use super::*;

    /// Writes a new pair over the files and returns its certificate.
    fn renew(files: &Files) -> CertificateDer<'static> {
        let key = rcgen::KeyPair::generate().expect("a key");
        let params = rcgen::CertificateParams::new(["chat.example".to_owned()]).expect("a name");
        let certificate = params.self_signed(&key).expect("a certificate");
        std::fs::write(&files.cert, certificate.pem()).expect("written");
        std::fs::write(&files.key, key.serialize_pem()).expect("written");
        certificate.der().clone()
    }

    /// Whether the server presents this certificate in a handshake.
    async fn shows(acceptor: &Acceptor, certificate: &CertificateDer<'static>) -> bool {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).expect("a root");
        let provider = Arc::new(ring::default_provider());
        let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let client = client.expect("versions").with_root_certificates(roots).with_no_client_auth();
        let connect = async {
            let stream = TcpStream::connect(address).await.expect("a connection");
            let name = "chat.example".try_into().expect("a name");
            tokio_rustls::TlsConnector::from(Arc::new(client)).connect(name, stream).await.is_ok()
        };
        let accept = async {
            let (stream, _) = listener.accept().await.expect("a connection");
            drop(acceptor.accept(stream).await);
        };
        tokio::join!(connect, accept).0
    }

    #[tokio::test]
    async fn new_files_are_taken_up_and_broken_ones_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = Files { cert: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
        let first = renew(&files);
        let certificates = Arc::new(Certificates::default());
        certificates.replace(read_pair(&files.cert, &files.key).expect("a pair"));
        let acceptor = Acceptor::new(certificates.clone()).expect("an acceptor");
        let same = Files { cert: files.cert.clone(), key: files.key.clone() };
        let seen = same.changed_at();
        let pause = Duration::from_millis(20);
        let watching = tokio::spawn(watch(same, seen, certificates, pause));
        assert!(shows(&acceptor, &first).await);

        // A certificate whose key has not arrived yet, and a file that is no certificate.
        for broken in
            [renew(&Files { cert: files.cert.clone(), key: folder.path().join("other.pem") }).to_vec(), b"x".to_vec()]
        {
            if broken == b"x" {
                std::fs::write(&files.cert, broken).expect("written");
            }
            tokio::time::sleep(pause * 10).await;
            assert!(shows(&acceptor, &first).await, "the old one stays");
        }
        let second = renew(&files);
        let taken = async {
            while !shows(&acceptor, &second).await {
                tokio::time::sleep(pause).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), taken).await.expect("the new one is taken up");
        assert!(!shows(&acceptor, &first).await, "and the old one is not shown any more");
        watching.abort();
    }
}
