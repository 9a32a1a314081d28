//! TLS with a certificate of an authority of our own, made anew for each story.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection};

/// A certificate and its key, ready for connections.
pub(super) struct Secure(Arc<ServerConfig>);

/// An authority's own certificate, as a file holds it, and one by it for these hosts.
pub(super) fn create(hosts: &[&str]) -> (String, Secure) {
    let key = KeyPair::generate().unwrap();
    let mut authority = params(&[], "an authority that nobody knows");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let pem = authority.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(authority, key);

    let key = KeyPair::generate().unwrap();
    let certificate = params(hosts, "a GitHub").signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (pem, Secure(Arc::new(config)))
}

fn params(hosts: &[&str], name: &str) -> CertificateParams {
    let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
    let mut params = CertificateParams::new(hosts).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

impl Secure {
    /// Does something over an encrypted connection.
    pub(super) fn session(&self, stream: &TcpStream, talk: impl FnOnce(&mut dyn Session)) {
        let mut session = ServerConnection::new(Arc::clone(&self.0)).unwrap();
        let mut stream = stream;
        talk(&mut rustls::Stream::new(&mut session, &mut stream));
    }
}

/// What can be read from and written to.
pub(super) trait Session: Read + Write {}

impl<T: Read + Write> Session for T {}
