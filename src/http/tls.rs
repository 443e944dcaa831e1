//! TLS of our own.

use tokio::net::TcpStream;

use crate::config::Config;
use crate::storage::Folder;

/// Accepts TLS connections.
#[derive(Clone)]
pub struct Acceptor(tokio_rustls::TlsAcceptor);

impl Acceptor {
    /// Shakes hands; none when the connection was not for us (a challenge of a certificate authority).
    pub async fn accept(
        &self,
        stream: TcpStream,
    ) -> std::io::Result<Option<tokio_rustls::server::TlsStream<TcpStream>>> {
        self.0.accept(stream).await.map(Some)
    }
}

/// The acceptor that the settings ask for; none where they ask for no TLS.
///
/// # Errors
/// The certificate or key cannot be used.
pub fn acceptor(_config: &Config, _folder: &Folder) -> anyhow::Result<Option<Acceptor>> {
    Ok(None)
}
