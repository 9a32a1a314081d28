//! What it means that no answer arrived, or only a part of one.

use std::io::ErrorKind;

use ureq::Timeout;

use super::route::Call;
use crate::forge::Error;
use crate::forge::retry::Trouble;

/// How far a request came that has no answer.
enum Reached {
    /// It was never sent, and it would go the same way again.
    Never,
    /// It was not sent this time.
    NotYet,
    /// It may have arrived.
    Perhaps,
}

/// What is wrong with a request that has no answer; `way` is where it went.
pub(super) fn trouble(error: &ureq::Error, call: &Call, way: &str) -> Trouble {
    let said = error.to_string();
    let untrusted = said.contains("certificate");
    let remedy = if untrusted {
        "; where that is its own authority's, name the authority's file in `SSL_CERT_FILE`"
    } else {
        ""
    };
    let text = Error::Transport(format!("`{}` to {way}: {}{remedy}", call.name(), said.trim_start_matches("io: ")));
    match reached(error) {
        Reached::Never => Trouble::Final(text),
        Reached::NotYet => Trouble::Unwell { error: text, wait: None, may_have_worked: false },
        Reached::Perhaps => Trouble::Unwell { error: text, wait: None, may_have_worked: true },
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library's list of errors is open")]
fn reached(error: &ureq::Error) -> Reached {
    match error {
        // A certificate that is not trusted will not be trusted in a second either.
        ureq::Error::Tls(_) | ureq::Error::Pem(_) | ureq::Error::Rustls(_) | ureq::Error::TlsRequired => Reached::Never,
        ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::InvalidProxyUrl => Reached::Never,
        ureq::Error::BodyExceedsLimit(_) | ureq::Error::LargeResponseHeader(..) => Reached::Never,
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed | ureq::Error::ConnectProxyFailed(_) => {
            Reached::NotYet
        }
        ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => Reached::NotYet,
        ureq::Error::Io(error) => match error.kind() {
            ErrorKind::ConnectionRefused | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
                Reached::NotYet
            }
            ErrorKind::InvalidData => Reached::Never,
            _ => Reached::Perhaps,
        },
        _ => Reached::Perhaps,
    }
}
