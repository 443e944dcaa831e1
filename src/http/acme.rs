//! Certificates from an ACME authority (RFC 8555), proven by the TLS-ALPN-01 challenge (RFC 8737). Only port 443 is
//! needed, because the authority checks the name inside a TLS handshake on the port that is served anyway.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, HttpClient, Identifier, NewAccount, NewOrder,
    OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::CertifiedKey;

use crate::clock::Clock;
use crate::config::Config;

use super::certificate::{Certificates, expires_at, parse_pair, read_pair};

/// A certificate is renewed when it has less than 30 days left.
const RENEW_SECONDS: i64 = 30 * 24 * 3600;
/// Interval between checks of the remaining lifetime, and the longest retry delay.
const CHECK_INTERVAL: Duration = Duration::from_secs(6 * 3600);
/// Retry delay after a first failure. It doubles up to [`CHECK_INTERVAL`], because authorities limit failures.
const FIRST_RETRY_DELAY: Duration = Duration::from_secs(60);

/// The certificate authority and the names to certify.
pub(super) struct Authority {
    directory: String,
    domains: Vec<String>,
    email: Option<String>,
    folder: PathBuf,
    /// HTTP client for tests; `None` uses https with the system's trusted roots.
    http_client: Option<fn() -> Box<dyn HttpClient>>,
}

impl Authority {
    /// An authority as configured. The account and the certificate are stored in `folder`, readable by their owner
    /// alone.
    pub(super) fn new(config: &Config, folder: PathBuf) -> anyhow::Result<Authority> {
        fs::create_dir_all(&folder).with_context(|| format!("{} cannot be created", folder.display()))?;
        Ok(Authority {
            directory: config.acme_directory.clone(),
            domains: config.acme_domains.clone(),
            email: config.acme_email.clone(),
            folder,
            http_client: None,
        })
    }

    /// Loads the stored certificate, requests a missing one, and renews it in time. Never returns; spawn it as a
    /// background task.
    pub(super) async fn renew_forever(self, certificates: Arc<Certificates>) {
        let mut wait = FIRST_RETRY_DELAY;
        if let Ok(pair) = self.stored() {
            certificates.replace(pair);
        }
        loop {
            if self.is_fresh() {
                tokio::time::sleep(CHECK_INTERVAL).await;
                continue;
            }
            tracing::info!(domains = %self.domains.join(", "), "requesting a certificate");
            match self.obtain(&certificates).await {
                Ok(()) => wait = FIRST_RETRY_DELAY,
                Err(error) => {
                    tracing::error!(
                        error = format!("{error:#}"),
                        wait_s = wait.as_secs(),
                        "no certificate was issued; retrying"
                    );
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(CHECK_INTERVAL);
                }
            }
            certificates.forget_challenges();
        }
    }

    /// Whether a stored certificate covers exactly these names and has enough time left.
    fn is_fresh(&self) -> bool {
        let now = Clock::System.now().0 / 1000;
        let end = self.stored().ok().and_then(|pair| expires_at(&pair));
        end.is_some_and(|end| end - now > RENEW_SECONDS)
    }

    fn stored(&self) -> anyhow::Result<CertifiedKey> {
        let names = fs::read_to_string(self.folder.join("names.txt"))?;
        anyhow::ensure!(names == self.domains.join("\n"), "stored for other names");
        read_pair(&self.folder.join("certificate.pem"), &self.folder.join("key.pem"))
    }

    /// Orders a certificate, proves control of the names, stores the certificate and starts serving it.
    pub(super) async fn obtain(&self, certificates: &Certificates) -> anyhow::Result<()> {
        let account = self.account().await?;
        let names: Vec<_> = self.domains.iter().cloned().map(Identifier::Dns).collect();
        let mut order = account.new_order(&NewOrder::new(&names)).await.context("the order was refused")?;
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            match authorization.status {
                AuthorizationStatus::Valid => continue,
                AuthorizationStatus::Pending => {}
                status => bail!("the authority cannot check a name: {status:?}"),
            }
            let Some(mut challenge) = authorization.challenge(ChallengeType::TlsAlpn01) else {
                bail!("the authority does not offer the TLS-ALPN-01 challenge");
            };
            let name = challenge.identifier().to_string();
            certificates.challenge(&name, answer(&name, challenge.key_authorization().digest().as_ref())?);
            challenge.set_ready().await?;
        }
        let status = order.poll_ready(&RetryPolicy::default()).await?;
        if status != OrderStatus::Ready {
            bail!("the authority could not reach us under these names on port 443: {status:?}");
        }
        let key = order.finalize().await.context("the certificate was refused")?;
        let chain = order.poll_certificate(&RetryPolicy::default()).await?;
        let pair = parse_pair(chain.as_bytes(), key.as_bytes())?;
        self.store_file("key.pem", &key)?;
        self.store_file("certificate.pem", &chain)?;
        self.store_file("names.txt", &self.domains.join("\n"))?;
        certificates.replace(pair);
        tracing::info!("the new certificate is in use");
        Ok(())
    }

    /// The ACME account of this server, registered on first use.
    async fn account(&self) -> anyhow::Result<Account> {
        #[derive(serde::Serialize, serde::Deserialize)]
        struct StoredAccount {
            directory: String,
            credentials: AccountCredentials,
        }
        let builder = match self.http_client {
            Some(http_client) => Account::builder_with_http(http_client()),
            None => Account::builder().context("the system's trusted certificates cannot be read")?,
        };
        let stored = fs::read_to_string(self.folder.join("account.json")).ok();
        let stored = stored.and_then(|text| serde_json::from_str::<StoredAccount>(&text).ok());
        if let Some(stored) = stored.filter(|stored| stored.directory == self.directory) {
            return Ok(builder.from_credentials(stored.credentials).await?);
        }
        let contact: Vec<String> = self.email.iter().map(|email| format!("mailto:{email}")).collect();
        let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
        let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
        let made = builder.create(&new, self.directory.clone(), None).await;
        let (account, credentials) = made.context("the authority did not register an account")?;
        let stored = StoredAccount { directory: self.directory.clone(), credentials };
        self.store_file("account.json", &serde_json::to_string(&stored)?)?;
        Ok(account)
    }

    fn store_file(&self, name: &str, text: &str) -> anyhow::Result<()> {
        write_private(&self.folder.join(name), text).with_context(|| format!("{name} cannot be stored"))
    }
}

/// The challenge certificate for a name: self-signed, with the digest of the key authorization as an extension (RFC
/// 8737).
fn answer(name: &str, digest: &[u8]) -> anyhow::Result<CertifiedKey> {
    let mut params = CertificateParams::new([name.to_owned()])?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    // `CertifiedKey::from_der` is not used: it rejects unknown critical extensions, and this one must be critical.
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let key = ring::sign::any_supported_type(&key).context("a key of our own cannot sign")?;
    Ok(CertifiedKey::new(vec![certificate.der().clone()], key))
}

/// Writes a file atomically, readable by its owner alone.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    let mut options = fs::OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(unfinished, path)
}

#[cfg(test)]
mod fake;
