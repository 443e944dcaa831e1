//! Probes an address: an OCS server, another program, or nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::http::operations::INSTANCE;

/// Timeout for connecting, and again for the response.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// What answers at an address.
pub(super) enum ProbeResult {
    /// Nothing accepts connections.
    Nobody,
    /// An OCS server with this instance name.
    Instance(String),
    /// Something else.
    Another,
}

/// Requests `/healthz` at `address`, over TLS if `tls` is true.
pub(super) async fn probe(address: SocketAddr, tls: bool) -> ProbeResult {
    let Ok(Ok(stream)) = tokio::time::timeout(PROBE_TIMEOUT, TcpStream::connect(loopback_for_any(address))).await
    else {
        return ProbeResult::Nobody;
    };
    let instance = async {
        if !tls {
            return instance_over(stream).await;
        }
        let name = ServerName::try_from("localhost").ok()?;
        instance_over(connector()?.connect(name, stream).await.ok()?).await
    };
    match tokio::time::timeout(PROBE_TIMEOUT, instance).await {
        Ok(Some(instance)) => ProbeResult::Instance(instance),
        _ => ProbeResult::Another,
    }
}

/// Replaces 0.0.0.0 and [::] by loopback, which they include.
fn loopback_for_any(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

async fn instance_over(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Option<String> {
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(connection);
    let request = hyper::Request::get("/healthz").header("host", "localhost").body(Empty::<Bytes>::new()).ok()?;
    let answer = sender.send_request(request).await.ok()?;
    Some(answer.headers().get(INSTANCE)?.to_str().ok()?.to_owned())
}

/// Accepts any certificate, because the server's own is for its public name and not for this address. Nothing secret is
/// sent, and the caller compares the instance name with the one reported over the socket file.
fn connector() -> Option<TlsConnector> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().ok()?;
    let verifier = Arc::new(AnyCertificate(provider));
    let config = config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    Some(TlsConnector::from(Arc::new(config)))
}

#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
