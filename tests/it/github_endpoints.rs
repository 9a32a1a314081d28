//! Stories of where GitHub is found: behind a certificate of a private authority, through a proxy, on an Enterprise
//! Server. The API and git go the same way.

use std::process::Command;

use crate::github::{GitHub, HOST, Log, Proxy};
use crate::github_trouble::nothing_is_left_to_mend;
use crate::github_trust::ran;
use crate::on_github::{CONFIG, wanting};
use crate::project::Ran;

const LINT: [&str; 7] = ["update", "--pr", "7", "--stage", "lint", "--status", "success"];

fn plan(github: &GitHub) -> Ran {
    github.job().on(github.comment(7, "alice", "/plan")).ci(["run"])
}

/// A GitHub over TLS, whose authority no job knows yet.
fn secure() -> GitHub {
    wanting(GitHub::secure(CONFIG))
}

/// The same, and every job is told of its authority.
fn trusted() -> GitHub {
    let mut github = secure();
    let authority = github.authority();
    github.every_job("SSL_CERT_FILE", &authority);
    github
}

/// A row is reported and a plan is made, of the code that git fetched; all stands where it should.
#[track_caller]
fn all_goes_well(github: &GitHub) {
    github.job().ci(LINT).exits(0);
    plan(github).exits(0);
    assert!(github.row(7, "lint").starts_with("success: "), "{}", github.row(7, "lint"));
    assert_eq!(github.row(7, "plan-platform"), "success: wants platform as on work");
    assert!(github.dashboard(7).body.contains(&github.url()), "{}", github.dashboard(7).body);
    nothing_is_left_to_mend(github);
}

/// Nothing was written, and no step began.
#[track_caller]
fn nothing_came_of_it(github: &GitHub) {
    assert_eq!(github.statuses(&github.head(7)).len(), 0);
    assert!(github.comments(7).iter().all(|comment| comment.author == "alice"), "{:#?}", github.comments(7));
    assert!(!ran(github, "begun-platform"));
}

#[test]
fn an_authority_that_nobody_knows_is_told_with_the_remedy() {
    let github = secure();
    let event = github.comment(7, "alice", "/plan");
    let missing = github.folder().join("missing.pem").display().to_string();
    let ways: [(&[&str], &str); 3] = [(&LINT, ""), (&["run"], ""), (&LINT, &missing)];
    for (arguments, file) in ways {
        let told = github.job().on(event.clone()).env("SSL_CERT_FILE", file).ci(arguments).exits(3);
        for words in ["certificate", &github.url(), "`SSL_CERT_FILE`"] {
            assert!(told.stderr.contains(words), "{words} in {told:#?}");
        }
        assert!(!told.stderr.contains("trying again"), "it will not be trusted in a second either: {told:#?}");
    }
    assert_eq!(github.take_log().requests(), 0);
    nothing_came_of_it(&github);
    let told = github.job().ci(["doctor"]).exits(3);
    assert!(told.stdout.contains("problem  api: ") && told.stdout.contains("SSL_CERT_FILE"), "{told:#?}");
}

#[test]
fn an_authority_of_its_own_is_trusted_by_the_api_and_by_git() {
    let github = trusted();
    all_goes_well(&github);
    assert!(!github.take_log().of("POST", "/acme/infra.git/git-upload-pack").is_empty());
}

#[test]
fn a_folder_of_authorities_is_trusted_by_the_api_and_by_git() {
    let mut github = secure();
    let folder = github.folder().join("authorities");
    std::fs::create_dir(&folder).unwrap();
    // Some libraries find a certificate by this name alone, others take any that looks so.
    let hash = Command::new("openssl").args(["x509", "-noout", "-hash", "-in", &github.authority()]).output();
    let hash = hash.map_or_else(|_| "01234567".to_owned(), |hash| String::from_utf8(hash.stdout).unwrap());
    std::fs::copy(github.authority(), folder.join(format!("{}.0", hash.trim()))).unwrap();
    let missing = github.folder().join("missing");
    github.every_job("SSL_CERT_DIR", std::env::join_paths([missing, folder]).unwrap().to_str().unwrap());
    all_goes_well(&github);
}

#[test]
fn what_git_was_told_of_authorities_itself_counts() {
    let github = trusted();
    let event = github.comment(7, "alice", "/plan");
    let missing = github.folder().join("missing.pem").display().to_string();
    let config = github.folder().join("gitconfig").display().to_string();
    std::fs::write(&config, format!("[http]\n\tsslCAInfo = {missing}\n")).unwrap();
    let by_itself = vec![("GIT_SSL_CAINFO", &*missing)];
    let by_file = vec![("GIT_CONFIG_GLOBAL", &*config)];
    let by_environment =
        vec![("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "http.sslCAInfo"), ("GIT_CONFIG_VALUE_0", &*missing)];
    for ways in [by_itself, by_file, by_environment] {
        let job = github.job().on(event.clone());
        let job = ways.iter().fold(job, |job, (name, value)| job.env(name, value));
        let told = job.ci(["run"]).exits(3);
        for words in ["`git fetch ", "nothing was run"] {
            assert!(told.stderr.contains(words), "{words} in {told:#?}");
        }
        // The words of one library for TLS or of the other.
        let said = ["SSL CA cert", "certificate verify locations"];
        assert!(said.iter().any(|words| told.stderr.contains(words)), "{told:#?}");
    }
    assert!(!ran(&github, "begun-platform"));
}

/// A GitHub that is found through a proxy alone.
fn behind_a_proxy() -> (GitHub, Proxy) {
    let mut github = trusted();
    github.state(|state| state.url = format!("https://{HOST}"));
    github.enterprise();
    let proxy = Proxy::to(github.address());
    (github, proxy)
}

#[test]
fn a_proxy_of_the_environment_is_gone_through() {
    let (mut github, proxy) = behind_a_proxy();
    github.every_job("HTTPS_PROXY", &proxy.url());
    github.job().ci(LINT).exits(0);
    let tunnels = proxy.take_tunnels();
    let way = format!("CONNECT {HOST}:443");
    assert!(!tunnels.is_empty() && tunnels.iter().all(|tunnel| *tunnel == way), "{tunnels:#?}");
    all_goes_well(&github);
    assert!(!github.take_log().of("POST", "/acme/infra.git/git-upload-pack").is_empty());
}

#[test]
fn a_proxy_that_does_not_work_is_named() {
    let (mut github, proxy) = behind_a_proxy();
    github.every_job("CI_RETRY_BUDGET", "1");
    // Nobody listens there.
    let gone = "127.0.0.1:1";
    let refused = github.job().env("HTTPS_PROXY", &format!("http://{gone}")).ci(LINT).exits(3);
    assert!(refused.stderr.contains(&format!("through the proxy `{gone}`")), "{refused:#?}");
    let unknown = github.job().ci(LINT).exits(3);
    assert!(unknown.stderr.contains(HOST) && !unknown.stderr.contains("proxy"), "{unknown:#?}");
    assert_eq!(proxy.take_tunnels(), Vec::<String>::new());
    nothing_came_of_it(&github);
}

#[test]
fn a_host_that_needs_no_proxy_is_spoken_to_without() {
    let mut github = trusted();
    let proxy = Proxy::to(github.address());
    github.every_job("HTTPS_PROXY", &proxy.url());
    github.every_job("NO_PROXY", "example.org,127.0.0.1");
    all_goes_well(&github);
    assert_eq!(proxy.take_tunnels(), Vec::<String>::new());
}

/// Every request is one that an Enterprise Server has: below `/api`, or git's.
#[track_caller]
fn below_api(log: &Log) {
    let known = ["/api/v3/repos/acme/infra/", "/api/graphql", "/acme/infra.git/"];
    for asked in &log.0 {
        assert!(known.iter().any(|known| asked.target.starts_with(known)), "{} {}", asked.method, asked.target);
    }
    assert!(known.iter().all(|known| log.0.iter().any(|asked| asked.target.starts_with(known))), "{:#?}", log.lines());
}

#[test]
fn an_enterprise_server_is_spoken_to_below_api() {
    let mut github = wanting(GitHub::start(CONFIG));
    github.enterprise();
    // More comments than a page holds.
    github.state(|state| (0..120).for_each(|at| drop(state.comment_as("alice", 7, &format!("comment {at}")))));
    all_goes_well(&github);
    github.job().ci(["doctor", "--pr", "7"]).exits(0);
    let log = github.take_log();
    below_api(&log);
    let second = log.of("GET", "/issues/7/comments?").into_iter().filter(|asked| asked.target.contains("&page=2"));
    assert!(second.count() > 0, "{:#?}", log.lines());
}

#[test]
fn the_graphql_api_of_an_enterprise_server_need_not_be_named() {
    let mut github = wanting(GitHub::start(CONFIG));
    github.enterprise();
    github.every_job("GITHUB_GRAPHQL_URL", "");
    all_goes_well(&github);
    below_api(&github.take_log());
}
