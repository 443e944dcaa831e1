//! A fake certificate authority on loopback that performs the real check: the TLS handshake for the requested name must
//! present the digest of the account's key authorization.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, head, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{CertificateParams, Issuer, KeyPair, PublicKeyData, SignatureAlgorithm};
use rustls::ClientConfig;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::{TcpListener, TcpStream};

use super::super::certificate::{Certificates, field};
use super::super::tls::{ACME_PROTOCOL, Acceptor};
use super::{Authority, CertifiedKey, expires_at};
use crate::config::Config;

const NAME: &str = "chat.example";
const TOKEN: &str = "a-token-of-the-fake";
const NONCE: HeaderName = HeaderName::from_static("replay-nonce");

#[derive(Clone)]
struct Fake(Arc<Inner>);

struct Inner {
    url: String,
    /// The server whose name is to be proven.
    checked: SocketAddr,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    thumbprint: String,
    accounts: usize,
    proven: bool,
    chain: String,
}

impl Fake {
    async fn start(checked: SocketAddr) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let fake = Fake(Arc::new(Inner { url, checked, seen: Mutex::default() }));
        let router = Router::new()
            .route("/directory", get(directory))
            .route("/nonce", head(nonce))
            .route("/{what}", post(answer))
            .with_state(fake.clone());
        tokio::spawn(async move { axum_serve(listener, router).await });
        fake
    }

    fn order(&self) -> Value {
        let url = &self.0.url;
        let seen = self.0.seen.lock().expect("not poisoned");
        let status = match (seen.proven, seen.chain.is_empty()) {
            (false, _) => "pending",
            (true, true) => "ready",
            (true, false) => "valid",
        };
        let mut order = json!({
            "status": status, "identifiers": [{ "type": "dns", "value": NAME }],
            "authorizations": [format!("{url}/authz")], "finalize": format!("{url}/finalize"),
        });
        if status == "valid" {
            order["certificate"] = json!(format!("{url}/certificate"));
        }
        order
    }

    /// RFC 8737: a handshake with the ACME protocol and our name; the certificate must hold the digest.
    async fn check(&self) {
        let provider = Arc::new(ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anything))
            .with_no_client_auth();
        config.alpn_protocols = vec![ACME_PROTOCOL.to_vec()];
        let stream = TcpStream::connect(self.0.checked).await.expect("a connection");
        let name = ServerName::try_from(NAME).expect("a name");
        let stream =
            tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("a handshake");
        let certificate = stream.get_ref().1.peer_certificates().expect("a certificate")[0].to_vec();
        let mut seen = self.0.seen.lock().expect("not poisoned");
        let digest = Sha256::digest(format!("{TOKEN}.{}", seen.thumbprint));
        seen.proven = certificate.windows(digest.len()).any(|part| part == digest.as_slice());
    }

    fn sign(&self, csr: &[u8]) {
        let mut issuer = CertificateParams::new(Vec::new()).expect("no names");
        issuer.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer = Issuer::new(issuer, KeyPair::generate().expect("a key"));
        let mut params = CertificateParams::new([NAME.to_owned()]).expect("a name");
        params.not_after = rcgen::date_time_ymd(2099, 1, 1);
        let certificate = params.signed_by(&Asked(point_of(csr)), &issuer).expect("a certificate");
        self.0.seen.lock().expect("not poisoned").chain = certificate.pem();
    }
}

async fn axum_serve(listener: TcpListener, router: Router) {
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use tower::ServiceExt;
    while let Ok((stream, _)) = listener.accept().await {
        let router = router.clone();
        let service = hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            router.clone().oneshot(request.map(axum::body::Body::new))
        });
        tokio::spawn(async move {
            let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
            drop(builder.serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

async fn directory(State(Fake(fake)): State<Fake>) -> Json<Value> {
    let url = &fake.url;
    Json(json!({
        "newNonce": format!("{url}/nonce"), "newAccount": format!("{url}/account"), "newOrder": format!("{url}/order"),
    }))
}

async fn nonce() -> [(HeaderName, &'static str); 1] {
    [(NONCE, "nonce")]
}

async fn answer(State(fake): State<Fake>, Path(what): Path<String>, Json(signed): Json<Value>) -> Response {
    let part = |name: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(signed[name].as_str().expect("a part")).expect("base64");
        serde_json::from_slice::<Value>(&bytes).unwrap_or_default()
    };
    let url = fake.0.url.clone();
    let (status, body) = match what.as_str() {
        "account" => {
            let key = part("protected")["jwk"].clone();
            let canonical = json!({ "crv": key["crv"], "kty": key["kty"], "x": key["x"], "y": key["y"] }).to_string();
            let mut seen = fake.0.seen.lock().expect("not poisoned");
            seen.thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(canonical));
            seen.accounts += 1;
            (StatusCode::CREATED, json!({ "status": "valid" }))
        }
        "order" => (StatusCode::CREATED, fake.order()),
        "authz" => {
            let challenge = json!({ "type": "tls-alpn-01", "url": format!("{url}/challenge"), "token": TOKEN, "status": "pending" });
            let identifier = json!({ "type": "dns", "value": NAME });
            (StatusCode::OK, json!({ "status": "pending", "identifier": identifier, "challenges": [challenge] }))
        }
        "challenge" => {
            fake.check().await;
            let challenge =
                json!({ "type": "tls-alpn-01", "url": format!("{url}/challenge"), "token": TOKEN, "status": "valid" });
            (StatusCode::OK, challenge)
        }
        "finalize" => {
            let csr = part("payload")["csr"].as_str().expect("a request").to_owned();
            fake.sign(&URL_SAFE_NO_PAD.decode(csr).expect("base64"));
            (StatusCode::OK, fake.order())
        }
        "certificate" => {
            let chain = fake.0.seen.lock().expect("not poisoned").chain.clone();
            return ([(NONCE, "nonce")], chain).into_response();
        }
        _ => (StatusCode::NOT_FOUND, Value::Null),
    };
    let location = if what == "account" { format!("{url}/account/1") } else { format!("{url}/order") };
    (status, [(NONCE, "nonce".into()), (HeaderName::from_static("location"), location)], Json(body)).into_response()
}

/// The public key of a signing request (RFC 2986): the third field of `CertificationRequestInfo`.
fn point_of(csr: &[u8]) -> Vec<u8> {
    let content = |bytes| field(bytes).expect("a field").1;
    let rest = |bytes| field(bytes).expect("a field").2;
    let inner = content(content(csr));
    let key = content(rest(rest(inner)));
    // A bit string starts with the number of unused bits.
    content(rest(key))[1..].to_vec()
}

struct Asked(Vec<u8>);

impl PublicKeyData for Asked {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }
    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

/// Accepts any certificate: the authority inspects it itself.
#[derive(Debug)]
struct Anything;

impl ServerCertVerifier for Anything {
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
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

fn plain_http() -> Box<dyn instant_acme::HttpClient> {
    use hyper_util::client::legacy::{Client, connect::HttpConnector};
    Box::new(
        Client::builder(hyper_util::rt::TokioExecutor::new())
            .build::<_, instant_acme::BodyWrapper<bytes::Bytes>>(HttpConnector::new()),
    )
}

#[tokio::test]
async fn a_name_is_proven_inside_the_handshake_and_the_certificate_is_kept() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let certificates = Arc::new(Certificates::default());
    let acceptor = Acceptor::new(certificates.clone()).expect("an acceptor");
    let serving = tokio::spawn(async move {
        let mut challenges = 0;
        while let Ok((stream, _)) = listener.accept().await {
            challenges += usize::from(acceptor.accept(stream).await.expect("a handshake").is_none());
            if challenges == 2 {
                break;
            }
        }
        challenges
    });

    let fake = Fake::start(address).await;
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config {
        acme_domains: vec![NAME.into()],
        acme_directory: format!("{}/directory", fake.0.url),
        acme_email: Some("owner@example.org".into()),
        ..Config::default()
    };
    let mut authority = Authority::new(&config, folder.path().join("certificates")).expect("a folder");
    authority.http_client = Some(plain_http);
    assert!(!authority.is_fresh());
    authority.obtain(&certificates).await.expect("a certificate");
    assert!(authority.is_fresh());
    let stored: CertifiedKey = authority.stored().expect("kept");
    assert!(expires_at(&stored).is_some_and(|end| end > 4_000_000_000));

    // A renewal uses the same account.
    fake.0.seen.lock().expect("not poisoned").proven = false;
    fake.0.seen.lock().expect("not poisoned").chain.clear();
    authority.obtain(&certificates).await.expect("a renewal");
    assert_eq!(fake.0.seen.lock().expect("not poisoned").accounts, 1);
    assert_eq!(serving.await.expect("served"), 2);

    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(folder.path().join("certificates/key.pem")).expect("a key").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
