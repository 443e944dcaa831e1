//! A server that does TLS itself.

use std::sync::Arc;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::world::World;

/// A server at `https://chat.example` that does TLS itself, and its self-signed certificate.
pub async fn tls_world() -> (World, rcgen::Certificate) {
    let folder = tempfile::tempdir().expect("a folder");
    let key = rcgen::KeyPair::generate().expect("a key");
    let params = rcgen::CertificateParams::new(["chat.example".to_owned()]).expect("a name");
    let certificate = params.self_signed(&key).expect("a certificate");
    let (cert_file, key_file) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&cert_file, certificate.pem()).expect("written");
    std::fs::write(&key_file, key.serialize_pem()).expect("written");
    let world = World::with(|config| {
        config.tls_cert = Some(cert_file);
        config.tls_key = Some(key_file);
        config.public_url = Some("https://chat.example".into());
    })
    .await;
    // Read when the server started.
    drop(folder);
    (world, certificate)
}

#[tokio::test]
async fn both_versions_of_http_over_a_certificate_from_files() {
    let (world, certificate) = tls_world().await;
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).expect("a root");
    for protocol in ["http/1.1", "h2"] {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let mut config = config.expect("versions").with_root_certificates(roots.clone()).with_no_client_auth();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let stream = TcpStream::connect(world.address()).await.expect("a connection");
        let name = ServerName::try_from("chat.example").expect("a name");
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("a handshake");
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(protocol.as_bytes()));
        let request = Request::get("https://chat.example/healthz").header("host", "chat.example");
        let request = request.body(Empty::<Bytes>::new()).expect("a request");
        let stream = TokioIo::new(stream);
        let answer = if protocol == "h2" {
            let shaken = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await;
            let (mut sender, connection) = shaken.expect("http/2");
            tokio::spawn(connection);
            sender.send_request(request).await
        } else {
            let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.expect("http/1.1");
            tokio::spawn(connection);
            sender.send_request(request).await
        };
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.into_body().collect().await.expect("a body").to_bytes(), "ok\n");
    }
}
