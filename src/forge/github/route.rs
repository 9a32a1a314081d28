//! Every request that is ever sent to GitHub's REST API, in one table: what it is, and the permission that a workflow
//! has to grant for it. See <https://docs.github.com/en/rest>.

use std::fmt::Display;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::Value;
use ureq::http::Method;

macro_rules! routes {
    ($($(#[$doc:meta])* $name:ident: $method:ident $template:literal needs $needs:literal;)+) => {
        /// A kind of request.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Route { $($(#[$doc])* $name,)+ }

        impl Route {
            /// All of them.
            #[cfg(test)]
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)+];

            /// Its method.
            pub(crate) fn method(self) -> Method {
                match self { $(Self::$name => Method::$method,)+ }
            }

            /// Its path, as GitHub's OpenAPI description writes it.
            pub(crate) fn template(self) -> &'static str {
                match self { $(Self::$name => $template,)+ }
            }

            /// The line of a workflow's `permissions` under which GitHub allows it.
            pub(crate) fn needs(self) -> &'static str {
                match self { $(Self::$name => $needs,)+ }
            }
        }
    };
}

routes! {
    /// A pull request.
    Pull: GET "/repos/{owner}/{repo}/pulls/{pull_number}" needs "pull-requests: read";
    /// Pull requests.
    Pulls: GET "/repos/{owner}/{repo}/pulls" needs "pull-requests: read";
    /// The pull requests that hold a commit.
    PullsOfCommit: GET "/repos/{owner}/{repo}/commits/{commit_sha}/pulls" needs "pull-requests: read";
    /// The files that a pull request changes.
    PullFiles: GET "/repos/{owner}/{repo}/pulls/{pull_number}/files" needs "pull-requests: read";
    /// The reviews of a pull request.
    Reviews: GET "/repos/{owner}/{repo}/pulls/{pull_number}/reviews" needs "pull-requests: read";
    /// What differs between two commits.
    Compare: GET "/repos/{owner}/{repo}/compare/{basehead}" needs "contents: read";
    /// Every file of a commit.
    Tree: GET "/repos/{owner}/{repo}/git/trees/{tree_sha}" needs "contents: read";
    /// A file.
    Contents: GET "/repos/{owner}/{repo}/contents/{path}" needs "contents: read";
    /// A new commit status.
    CreateStatus: POST "/repos/{owner}/{repo}/statuses/{sha}" needs "statuses: write";
    /// The statuses of a commit.
    Statuses: GET "/repos/{owner}/{repo}/commits/{ref}/statuses" needs "statuses: read";
    /// The check runs of a commit.
    CheckRuns: GET "/repos/{owner}/{repo}/commits/{ref}/check-runs" needs "checks: read";
    /// The comments of an issue or pull request.
    Comments: GET "/repos/{owner}/{repo}/issues/{issue_number}/comments" needs "pull-requests: read";
    /// The comments of all issues and pull requests.
    RecentComments: GET "/repos/{owner}/{repo}/issues/comments" needs "pull-requests: read";
    /// A new comment.
    CreateComment: POST "/repos/{owner}/{repo}/issues/{issue_number}/comments" needs "pull-requests: write";
    /// A comment.
    Comment: GET "/repos/{owner}/{repo}/issues/comments/{comment_id}" needs "pull-requests: read";
    /// A comment's new text.
    EditComment: PATCH "/repos/{owner}/{repo}/issues/comments/{comment_id}" needs "pull-requests: write";
    /// A comment's end.
    DeleteComment: DELETE "/repos/{owner}/{repo}/issues/comments/{comment_id}" needs "pull-requests: write";
    /// A reaction to a comment.
    React: POST "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions" needs "pull-requests: write";
    /// The reactions to a comment.
    Reactions: GET "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions" needs "pull-requests: read";
    /// A reaction's end.
    Unreact: DELETE "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions/{reaction_id}" needs "pull-requests: write";
    /// What a person may do.
    Permission: GET "/repos/{owner}/{repo}/collaborators/{username}/permission" needs "metadata: read";
    /// Whether a person is in a team.
    Membership: GET "/orgs/{org}/teams/{team_slug}/memberships/{username}" needs "members: read";
    /// One attempt of a workflow run.
    RunAttempt: GET "/repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}" needs "actions: read";
    /// The runs of a workflow.
    RunsOfWorkflow: GET "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs" needs "actions: read";
    /// A new workflow run.
    Dispatch: POST "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches" needs "actions: write";
    /// Issues.
    Issues: GET "/repos/{owner}/{repo}/issues" needs "issues: read";
    /// A new issue.
    CreateIssue: POST "/repos/{owner}/{repo}/issues" needs "issues: write";
    /// An issue's new text or state.
    EditIssue: PATCH "/repos/{owner}/{repo}/issues/{issue_number}" needs "issues: write";
    /// The git references whose names begin so, all of them on one page.
    MatchingRefs: GET "/repos/{owner}/{repo}/git/matching-refs/{ref}" needs "contents: read";
    /// A git reference.
    Ref: GET "/repos/{owner}/{repo}/git/ref/{ref}" needs "contents: read";
    /// A new git reference.
    CreateRef: POST "/repos/{owner}/{repo}/git/refs" needs "contents: write";
    /// A git reference's new commit.
    MoveRef: PATCH "/repos/{owner}/{repo}/git/refs/{ref}" needs "contents: write";
    /// A commit.
    Commit: GET "/repos/{owner}/{repo}/git/commits/{commit_sha}" needs "contents: read";
    /// A new commit.
    CreateCommit: POST "/repos/{owner}/{repo}/git/commits" needs "contents: write";
}

/// One request: what stands before the query of its address, the query, and the body.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) method: Method,
    /// Below the API's address, without the query.
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
    pub(super) speaks: Speaks,
    /// The line of a workflow's `permissions`, where one is known.
    pub(super) needs: Option<&'static str>,
    /// What is asked for instead of JSON.
    pub(super) accept: &'static str,
    /// For messages, where the path does not tell what is asked.
    pub(super) named: Option<&'static str>,
}

/// In whose name a request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaks {
    /// The token's.
    Own,
    /// That of the token that may read who is in a team.
    Members,
}

/// What GitHub's documentation asks to be sent.
pub(super) const JSON: &str = "application/vnd.github+json";
/// A file's own bytes.
pub(super) const RAW: &str = "application/vnd.github.raw+json";

impl Call {
    /// A request whose path is `route`'s, its braces filled in their order.
    pub(super) fn new(route: Route, values: &[&dyn Display]) -> Self {
        Self {
            method: route.method(),
            path: filled(route.template(), values),
            query: Vec::new(),
            body: None,
            speaks: Speaks::Own,
            needs: Some(route.needs()),
            accept: JSON,
            named: None,
        }
    }

    pub(super) fn query(mut self, name: &'static str, value: impl ToString) -> Self {
        self.query.retain(|(known, _)| *known != name);
        self.query.push((name, value.to_string()));
        self
    }

    pub(super) fn body(mut self, body: impl Serialize) -> Self {
        self.body = Some(serde_json::json!(body));
        self
    }

    /// The path and the query.
    pub(super) fn target(&self) -> String {
        let mut target = self.path.clone();
        for (at, (name, value)) in self.query.iter().enumerate() {
            target.push(if at == 0 { '?' } else { '&' });
            target.push_str(name);
            target.push('=');
            target.extend(utf8_percent_encode(value, SEGMENT));
        }
        target
    }

    /// For messages: the method and the path.
    pub(super) fn name(&self) -> String {
        self.named.map_or_else(|| format!("{} {}", self.method, self.path), str::to_owned)
    }
}

/// What is left as it is in one segment of a path, and in a value of a query.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The same where several segments are one value, as in names of branches.
const SEGMENTS: &AsciiSet = &SEGMENT.remove(b'/');

fn filled(template: &str, values: &[&dyn Display]) -> String {
    let mut values = values.iter();
    let mut path = String::new();
    let mut rest = template;
    while let Some((before, name, after)) = rest
        .split_once('{')
        .and_then(|(before, braced)| braced.split_once('}').map(|(name, after)| (before, name, after)))
    {
        let value = values.next().map_or_else(String::new, |value| value.to_string());
        let keep = if matches!(name, "ref" | "path" | "basehead") { SEGMENTS } else { SEGMENT };
        path.push_str(before);
        path.extend(utf8_percent_encode(&value, keep));
        rest = after;
    }
    path.push_str(rest);
    path
}

#[cfg(test)]
mod tests {
    use super::{Call, Route};

    #[test]
    fn every_route_is_a_path_of_the_repository_or_of_its_organisation() {
        for route in Route::ALL {
            let template = route.template();
            let home = ["/repos/{owner}/{repo}/", "/orgs/{org}/"].iter().any(|home| template.starts_with(home));
            assert!(home, "{} {template}", route.method());
            assert!(route.needs().ends_with(": read") || route.needs().ends_with(": write"), "{template}");
        }
    }

    /// Bodies and queries are held to the same list by the GitHub of the stories.
    #[test]
    fn every_route_is_described_by_github() {
        let described = include_str!("../../../tests/github-openapi.txt");
        for route in Route::ALL {
            let line = format!("{} {}", route.method(), route.template());
            assert!(described.lines().any(|known| known == line), "{line}");
        }
    }

    #[test]
    fn values_cannot_leave_their_place_in_a_path() {
        let call = Call::new(Route::Permission, &[&"o", &"n", &"a/../b[bot]?x=1#y"]);
        assert_eq!(call.path, "/repos/o/n/collaborators/a%2F..%2Fb%5Bbot%5D%3Fx%3D1%23y/permission");
        let call = Call::new(Route::Compare, &[&"o", &"n", &"abc...feature/é x"]).query("page", 2).query("page", 3);
        assert_eq!(call.target(), "/repos/o/n/compare/abc...feature/%C3%A9%20x?page=3");
    }
}
