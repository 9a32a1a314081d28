//! Which forge a call speaks to: GitHub where a token is there, else a folder of files. It is chosen before anything is
//! read, and opened when it is first needed: most events concern nobody.

use std::path::PathBuf;
use std::sync::{Once, OnceLock};

use super::args::Global;
use super::stop::Stop;
use super::{console, environment, project};
use crate::forge::git::Repository;
use crate::forge::github::{GitHub, Settings};
use crate::forge::local::{ACCOUNT, Local};
use crate::forge::{Forge, Patience, Secret};

/// Whether it was said that GitHub is meant.
static TOLD: Once = Once::new();

/// The forge of a call.
pub(super) enum Place {
    /// A folder of files; `None` is `.ci/forge` beside ci.toml.
    Local {
        folder: Option<PathBuf>,
        opened: OnceLock<Local>,
    },
    GitHub(Box<GitHub>),
}

impl Place {
    /// The forge that `--forge` or `CI_FORGE` names, else GitHub where there is a token, else the local one; but never that
    /// one in a job of GitHub Actions, where nobody would see what it says and everybody may do everything.
    pub(super) fn choose(global: &Global) -> Result<Self, Stop> {
        let named = global.forge.clone().or_else(|| environment::variable("CI_FORGE"));
        match named.as_deref().map(|named| named.split_once(':').unwrap_or((named, ""))) {
            Some(("local", "")) => Ok(Self::local(None)),
            Some(("local", folder)) => Ok(Self::local(Some(project::directory(global).join(folder)))),
            Some(("github", "")) => Self::github(global, environment::token().ok_or_else(no_token)?),
            Some((other, _)) => Err(Stop::usage(format!("there is no forge `{other}`"))
                .help("write `--forge github`, `--forge local` or `--forge local:DIR`")),
            None => {
                let token = match environment::token() {
                    Some(token) => token,
                    None if environment::on_actions() => return Err(no_token()),
                    None => return Ok(Self::local(None)),
                };
                let place = Self::github(global, token)?;
                if let (Self::GitHub(github), false) = (&place, environment::on_actions()) {
                    // However often this process opens it.
                    TOLD.call_once(|| console::note(format!("using {}, since there is a token", github.describe())));
                }
                Ok(place)
            }
        }
    }

    /// The local forge in its usual folder.
    pub(super) fn local(folder: Option<PathBuf>) -> Self {
        Self::Local { folder, opened: OnceLock::new() }
    }

    fn github(global: &Global, token: Secret) -> Result<Self, Stop> {
        let server = environment::variable("GITHUB_SERVER_URL").unwrap_or_else(|| "https://github.com".to_owned());
        let github = GitHub::new(Settings {
            api: environment::variable("GITHUB_API_URL").unwrap_or_else(|| "https://api.github.com".to_owned()),
            graphql: environment::variable("GITHUB_GRAPHQL_URL"),
            server,
            repository: repository(global)?,
            token,
            members_token: environment::members_token(),
            patience: Patience { budget: environment::retry_budget()?, waiting: |why| console::note(why) },
        })
        .map_err(Stop::usage)?;
        Ok(Self::GitHub(Box::new(github)))
    }

    /// The forge; the local one is opened for the project in `root`.
    pub(super) fn open(&self, root: &std::path::Path, verbose: bool) -> Result<&dyn Forge, Stop> {
        let forge = match self {
            Self::GitHub(github) => github.as_ref() as &dyn Forge,
            Self::Local { folder, opened } => {
                if let Some(local) = opened.get() {
                    return Ok(local);
                }
                let folder = folder.clone().unwrap_or_else(|| root.join(".ci/forge"));
                let local = Local::open(&folder, root, ACCOUNT)?;
                opened.get_or_init(|| local)
            }
        };
        if verbose {
            console::note(format!("using {}", forge.describe()));
        }
        Ok(forge)
    }
}

fn no_token() -> Stop {
    Stop::usage("there is no token for GitHub")
        .help("set GITHUB_TOKEN, in a workflow as `env: { GITHUB_TOKEN: ${{ github.token }} }`")
}

/// `owner/name`: as the workflow says, else the remote of the checkout, else where the event happened.
fn repository(global: &Global) -> Result<String, Stop> {
    if let Some(named) = global.repository.clone().or_else(|| environment::variable("GITHUB_REPOSITORY")) {
        return Ok(named);
    }
    let checkout = Repository::find(&project::directory(global))?;
    let remote = checkout.map(|checkout| checkout.remote_name()).transpose()?.flatten();
    remote.or_else(|| global.event_repository.clone()).ok_or_else(|| {
        Stop::usage("nothing says which repository of GitHub is meant").help(
            "write `--repository OWNER/NAME`, or set GITHUB_REPOSITORY; for files on this machine `--forge local`",
        )
    })
}
