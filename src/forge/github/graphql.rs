//! What only GraphQL can: whose token this is, comments hidden as outdated, and several files in one request. See
//! <https://docs.github.com/en/graphql>.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, json};
use ureq::http::Method;

use super::GitHub;
use super::answer::Raw;
use super::client::{Repeat, understood};
use super::route::{Call, JSON, RAW, Route, Speaks};
use crate::forge::retry::Trouble;
use crate::forge::{Declared, Error, Result};

/// A query, and what it asks for, in the words of people.
type Query = (&'static str, &'static str);

const VIEWER: Query = ("GraphQL, for the token's account", "query Viewer { viewer { login } }");

const DECLARED: Query = (
    "GraphQL, for ci.toml and its templates",
    "\
query Declared($owner: String!, $name: String!, $config: String!, $templates: String!) {
  repository(owner: $owner, name: $name) {
    config: object(expression: $config) { ... on Blob { text isTruncated isBinary } }
    templates: object(expression: $templates) {
      ... on Tree { entries { name object { ... on Blob { text isTruncated isBinary } } } }
    }
  }
}",
);

const MINIMIZE: Query = (
    "GraphQL, to hide a comment",
    "\
mutation Minimize($id: ID!) {
  minimizeComment(input: { subjectId: $id, classifier: OUTDATED }) { minimizedComment { isMinimized } }
}",
);

/// What every GraphQL answer is.
#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    data: Option<Value>,
    #[serde(default)]
    errors: Vec<Failure>,
}

#[derive(Deserialize)]
struct Failure {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Viewer {
    viewer: super::wire::User,
}

#[derive(Deserialize)]
struct Found {
    repository: Option<Files>,
}

#[derive(Deserialize)]
struct Files {
    config: Option<Blob>,
    templates: Option<Tree>,
}

/// A file; without fields where the path is a folder.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Blob {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    is_truncated: Option<bool>,
    #[serde(default)]
    is_binary: Option<bool>,
}

/// A folder; without entries where the path is a file.
#[derive(Deserialize)]
struct Tree {
    #[serde(default)]
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    #[serde(default)]
    object: Option<Blob>,
}

impl GitHub {
    /// The login of the token's account. `GET /user` refuses the tokens of apps, and so of workflows.
    pub(super) fn viewer(&self) -> Result<String> {
        Ok(self.query::<Viewer>(VIEWER, json!({}))?.viewer.login)
    }

    pub(super) fn minimize_node(&self, node: &str) -> Result<()> {
        self.query::<IgnoredAny>(MINIMIZE, json!({ "id": node })).map(|_| ())
    }

    pub(super) fn declared_at(&self, branch: &str, config: &str, templates: &str) -> Result<Declared> {
        let at = |path: &str| format!("refs/heads/{branch}:{path}");
        let variables =
            json!({ "owner": self.owner, "name": self.name, "config": at(config), "templates": at(templates) });
        let found: Found = self.query(DECLARED, variables)?;
        let files = found.repository.ok_or_else(|| {
            Error::NotFound(format!("repository `{}/{}`, as far as the token may see", self.owner, self.name))
        })?;
        let mut declared = Declared::default();
        if let Some(blob) = files.config {
            declared.config = self.text(blob, branch, config)?;
        }
        for entry in files.templates.map(|tree| tree.entries).unwrap_or_default() {
            let (true, Some(blob)) = (entry.name.ends_with(".j2"), entry.object) else { continue };
            if let Some(text) = self.text(blob, branch, &format!("{templates}/{}", entry.name))? {
                declared.templates.insert(entry.name, text);
            }
        }
        Ok(declared)
    }

    /// A file's text; where GraphQL cut it short, from the REST API. `None` of what is no file.
    fn text(&self, blob: Blob, branch: &str, path: &str) -> Result<Option<String>> {
        if blob.is_truncated != Some(true) && blob.is_binary != Some(true) {
            return Ok(blob.text);
        }
        let call = self.call(Route::Contents, &[&path]).query("ref", format!("refs/heads/{branch}"));
        let call = Call { accept: RAW, ..call };
        let bytes = self.client.send_and(&self.api, &call, &Repeat::Freely, &|raw| Ok(raw.body.clone()))?.value();
        let text = String::from_utf8(bytes);
        text.map(Some).map_err(|_| Error::Invalid(format!("`{path}` of branch `{branch}` is no UTF-8")))
    }

    /// Asks something that may be asked twice.
    fn query<T: DeserializeOwned>(&self, (what, query): Query, variables: Value) -> Result<T> {
        let call = Call {
            method: Method::POST,
            path: String::new(),
            query: Vec::new(),
            body: Some(json!({ "query": query, "variables": variables })),
            speaks: Speaks::Own,
            needs: None,
            accept: JSON,
            named: Some(what),
        };
        let read = |raw: &Raw| data(raw, &call);
        Ok(self.client.send_and(&self.graphql, &call, &Repeat::Freely, &read)?.value())
    }
}

/// The data of an answer, or what its errors mean: GraphQL tells them under status 200.
fn data<T: DeserializeOwned>(raw: &Raw, call: &Call) -> std::result::Result<T, Trouble> {
    let envelope: Envelope = understood(&raw.body, call)?;
    let Some(first) = envelope.errors.first() else {
        let wrong =
            |error| Trouble::Final(Error::Server(format!("`{}`: the answer cannot be read: {error}", call.name())));
        return serde_json::from_value(envelope.data.unwrap_or_default()).map_err(wrong);
    };
    let said: Vec<&str> = envelope.errors.iter().map(|error| error.message.as_str()).collect();
    let text = format!("`{}`: {}", call.name(), said.join("; "));
    Err(match first.kind.as_deref() {
        Some("NOT_FOUND") => Trouble::Final(Error::NotFound(text)),
        Some("FORBIDDEN" | "INSUFFICIENT_SCOPES") => Trouble::Final(Error::Denied(text)),
        Some("RATE_LIMITED" | "RATE_LIMIT") => {
            Trouble::Limited { message: text, wait: raw.until_reset(Timestamp::now()) }
        }
        // Without a type it is a fault of GitHub's own, which asks to try again.
        None | Some("INTERNAL" | "SERVICE_UNAVAILABLE") => {
            Trouble::Unwell { error: Error::Server(text), wait: None, may_have_worked: true }
        }
        Some(_) => Trouble::Final(Error::Invalid(text)),
    })
}
