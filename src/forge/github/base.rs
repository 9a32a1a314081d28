//! The addresses of GitHub's API, and where the token may go: to these alone, and in the clear only on this machine.

use std::net::IpAddr;

use ureq::http::Uri;

use crate::forge::{Error, Result};

/// Where an API stands: scheme, host and port, and what its paths begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Base {
    origin: String,
    prefix: String,
}

impl Base {
    /// Reads an address; `variable` is where it comes from, for messages.
    pub(super) fn parse(address: &str, variable: &str) -> Result<Self> {
        let wrong = |why: &str| Error::Invalid(format!("`{variable}` is `{address}`, {why}"));
        let uri: Uri = address.parse().map_err(|_| wrong("which is no address; write `https://HOST/PATH`"))?;
        let origin = origin(&uri).ok_or_else(|| wrong("which is no address; write `https://HOST/PATH`"))?;
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(Error::Invalid(format!("`{variable}` holds a name or a password; leave it out")));
        }
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if is_loopback(uri.host().unwrap_or_default()) => {}
            Some(_) | None => return Err(wrong("to which a token would go in the clear; write `https://`")),
        }
        Ok(Self { origin, prefix: uri.path().trim_end_matches('/').to_owned() })
    }

    /// The address of the GraphQL API beside a REST API.
    /// See <https://docs.github.com/en/graphql/guides/forming-calls-with-graphql>.
    pub(super) fn graphql(&self) -> Self {
        let prefix = match self.prefix.strip_suffix("/v3") {
            Some(before) => format!("{before}/graphql"),
            None => format!("{}/graphql", self.prefix),
        };
        Self { origin: self.origin.clone(), prefix }
    }

    /// The whole address of a path (and query) below it.
    pub(super) fn at(&self, target: &str) -> String {
        format!("{}{}{target}", self.origin, self.prefix)
    }

    /// Where a redirect leads from `address`, where that is of the same origin.
    pub(super) fn follow(&self, location: &str) -> Option<String> {
        if location.starts_with('/') && !location.starts_with("//") {
            return Some(format!("{}{location}", self.origin));
        }
        let uri: Uri = location.parse().ok()?;
        (origin(&uri)? == self.origin).then(|| location.to_owned())
    }

    /// The server, for messages.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether it is on this machine and not encrypted.
    pub(super) fn in_the_clear(&self) -> bool {
        self.origin.starts_with("http:")
    }
}

/// Scheme, host and port, in one way of writing.
fn origin(uri: &Uri) -> Option<String> {
    let scheme = uri.scheme_str()?;
    let host = uri.host().filter(|host| !host.is_empty())?.to_ascii_lowercase();
    let usual = if scheme == "https" { 443 } else { 80 };
    let port = uri.port_u16().unwrap_or(usual);
    Some(if port == usual { format!("{scheme}://{host}") } else { format!("{scheme}://{host}:{port}") })
}

/// Whether a host is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::Base;

    fn base(address: &str) -> Base {
        Base::parse(address, "GITHUB_API_URL").unwrap()
    }

    #[test]
    fn the_graphql_api_stands_beside_the_rest_api() {
        for (rest, graphql) in [
            ("https://api.github.com", "https://api.github.com/graphql"),
            ("https://ghe.example.org/api/v3/", "https://ghe.example.org/api/graphql"),
            ("https://api.team.ghe.com", "https://api.team.ghe.com/graphql"),
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000/graphql"),
        ] {
            assert_eq!(base(rest).graphql().at(""), graphql);
        }
    }

    #[test]
    fn a_token_goes_in_the_clear_to_this_machine_alone() {
        for address in ["http://localhost:1/x", "http://127.8.9.1", "http://[::1]:80"] {
            base(address);
        }
        for address in ["http://api.github.com", "ftp://localhost", "api.github.com", "https://t@api.github.com", ""] {
            assert!(Base::parse(address, "GITHUB_API_URL").is_err(), "{address}");
        }
    }

    #[test]
    fn redirects_are_followed_within_an_origin_alone() {
        let api = base("https://API.github.com:443");
        assert_eq!(api.follow("/repositories/1").as_deref(), Some("https://api.github.com/repositories/1"));
        assert!(api.follow("https://api.github.com/repositories/1").is_some());
        for elsewhere in ["//evil.example/x", "http://api.github.com/", "https://api.github.com:8443/", "evil", ""] {
            assert_eq!(api.follow(elsewhere), None, "{elsewhere}");
        }
    }
}
