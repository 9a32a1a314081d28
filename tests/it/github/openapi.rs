//! Whether a request is one that GitHub's OpenAPI description knows: its path, the keys of its query and of its body.

use super::server::Request;

const DESCRIBED: &str = include_str!("../../github-openapi.txt");

/// What is wrong with a request below `/repos` or `/orgs`; `path` is decoded and split.
pub(super) fn breach(request: &Request, parts: &[&str]) -> Option<String> {
    let mut lines = DESCRIBED.lines().skip_while(|line| !describes(line, &request.method, parts));
    let Some(line) = lines.next() else { return Some("GitHub describes no such request".to_owned()) };
    let details: Vec<&str> = lines.take_while(|line| line.starts_with(' ')).map(str::trim).collect();
    let words = |kind: &str| {
        let line = details.iter().find_map(|line| line.strip_prefix(kind)).unwrap_or_default();
        line.split_whitespace().collect::<Vec<_>>()
    };
    let (queries, keys) = (words("query "), words("body "));
    let asked =
        request.query_text().split('&').filter_map(|pair| pair.split('=').next()).filter(|name| !name.is_empty());
    if let Some(name) = asked.into_iter().find(|name| !queries.contains(name)) {
        return Some(format!("{line}: no query `{name}`"));
    }
    let body = request.json();
    let sent: Vec<&str> = body.as_object().into_iter().flat_map(|body| body.keys()).map(String::as_str).collect();
    let known = |name: &&str| keys.iter().any(|key| key.trim_end_matches('!') == *name);
    if let Some(name) = sent.iter().find(|name| !known(name)) {
        return Some(format!("{line}: no key `{name}` in the body"));
    }
    let required = keys.iter().filter_map(|key| key.strip_suffix('!'));
    let missing = required.into_iter().find(|key| !sent.contains(key));
    missing.map(|key| format!("{line}: the body lacks `{key}`"))
}

/// Whether a line `METHOD PATH` is about this request. Only names of references and files hold slashes, at the end.
fn describes(line: &str, method: &str, parts: &[&str]) -> bool {
    let Some((known, template)) = line.split_once(" /").filter(|(known, _)| *known == method) else { return false };
    let template: Vec<&str> = template.split('/').collect();
    let open = matches!(template.last(), Some(&"{ref}" | &"{path}" | &"{basehead}"));
    let long_enough = template.len() == parts.len() || (open && template.len() < parts.len());
    let same = |(wanted, part): (&&str, &&str)| wanted == part || (wanted.starts_with('{') && !RESERVED.contains(part));
    !known.is_empty() && long_enough && template.iter().zip(parts).all(same)
}

/// Words of paths that are no values.
const RESERVED: [&str; 1] = ["comments"];

#[cfg(test)]
mod tests {
    use super::{Request, breach};

    fn found(method: &str, target: &str, body: &str) -> Option<String> {
        let request = Request {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        };
        breach(&request, &request.path().split('/').skip(1).collect::<Vec<_>>())
    }

    #[test]
    fn what_github_does_not_describe_is_a_breach() {
        assert_eq!(found("POST", "/repos/o/n/issues/7/comments", r#"{"body":"x"}"#), None);
        assert_eq!(found("PATCH", "/repos/o/n/git/refs/ci/locks/web", r#"{"sha":"x","force":false}"#), None);
        for (method, target, body) in [
            ("POST", "/repos/o/n/issues/7/comments", "{}"),
            ("POST", "/repos/o/n/issues/7/comments", r#"{"body":"x","text":"y"}"#),
            ("GET", "/repos/o/n/pulls?pages=2", ""),
            ("PUT", "/repos/o/n/pulls/7", ""),
            ("GET", "/repos/o/n/issues/comments/1/2", ""),
        ] {
            assert!(found(method, target, body).is_some(), "{method} {target} {body}");
        }
    }
}
