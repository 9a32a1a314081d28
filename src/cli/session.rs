//! One call's standing in the world: the project, the forge, the run that this process is.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::args::Global;
use super::environment;
use super::project::{self, Project};
use super::stop::Stop;
use crate::exec::cancel::Cancel;
use crate::forge::Forge;
use crate::forge::git::Repository;
use crate::forge::local::{ACCOUNT, Local};
use crate::model::event::{Event, Pull};
use crate::model::ids::{PullNumber, RunId, Sha};

/// A project and its forge. The forge is opened when it is first needed: most events concern nobody.
pub(super) struct Session {
    pub(super) project: Project,
    directory: PathBuf,
    local: OnceLock<Local>,
    run: OnceLock<(RunId, String)>,
    cancel: OnceLock<Cancel>,
    pub(super) verbose: bool,
}

impl Session {
    /// Opens the project.
    pub(super) fn open(global: &Global) -> Result<Self, Stop> {
        let directory = forge_folder(global)?;
        let project = project::open(global)?;
        let directory =
            directory.map_or_else(|| project.root.join(".ci/forge"), |named| project::directory(global).join(named));
        let (local, run, cancel) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Ok(Self { project, directory, local, run, cancel, verbose: global.verbose })
    }

    /// What signals to this process raise, from the first call on. There is one for all that a comment asks for: who
    /// cancels the first command means the others too.
    pub(super) fn cancel(&self) -> Result<&Cancel, Stop> {
        if self.cancel.get().is_none() {
            let cancel = Cancel::new();
            cancel.listen().map_err(|error| Stop::failed(format!("cannot listen for signals: {error}")))?;
            self.cancel.get_or_init(|| cancel);
        }
        self.cancel.get().ok_or_else(|| Stop::failed("signals cannot be heard"))
    }

    /// The local forge.
    pub(super) fn local(&self) -> Result<&Local, Stop> {
        if let Some(local) = self.local.get() {
            return Ok(local);
        }
        let local = Local::open(&self.directory, &self.project.root, ACCOUNT)?;
        if self.verbose {
            super::console::note(format!("using {}", local.describe()));
        }
        Ok(self.local.get_or_init(|| local))
    }

    /// The forge.
    pub(super) fn forge(&self) -> Result<&dyn Forge, Stop> {
        self.local().map(|local| local as &dyn Forge)
    }

    /// The run that this process is, and its page. One of GitHub Actions, else a new one of the local forge.
    pub(super) fn run(&self) -> Result<(RunId, &str), Stop> {
        if self.run.get().is_none() {
            let found = match (environment::run_id(), environment::run_url()) {
                (Some(run), Some(url)) => (run, url),
                _ => {
                    let local = self.local()?;
                    let run = RunId { id: local.next_run_id()?, attempt: 1 };
                    (run, local.run_url(run))
                }
            };
            self.run.get_or_init(|| found);
        }
        self.run.get().map(|(run, url)| (*run, url.as_str())).ok_or_else(|| Stop::failed("there is no run"))
    }

    /// A pull request of the forge; one that the local forge does not know is taken from the event.
    pub(super) fn pull(&self, number: PullNumber, event: Option<&Event>) -> Result<Pull, Stop> {
        let told = event.and_then(Event::pull).filter(|pull| pull.number == number);
        if let Some(pull) = told {
            let local = self.local()?;
            local.save_pull(&pull)?;
            return Ok(pull);
        }
        match self.forge()?.pull(number) {
            Ok(pull) => Ok(pull),
            Err(crate::forge::Error::NotFound(_)) => {
                let pull = self.workspace_pull(number, "main")?;
                self.local()?.save_pull(&pull)?;
                Ok(pull)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A pull request whose head is what stands in the workspace.
    pub(super) fn workspace_pull(&self, number: PullNumber, base: &str) -> Result<Pull, Stop> {
        let repository = Repository::find(&self.project.root)?;
        let branch = match &repository {
            Some(repository) => repository.branch()?,
            None => None,
        };
        let base = match &repository {
            Some(repository) => repository.default_branch()?.unwrap_or_else(|| base.to_owned()),
            None => base.to_owned(),
        };
        Ok(Pull {
            number,
            head_sha: self.workspace_sha(repository.as_ref())?,
            head_ref: branch.unwrap_or_else(|| "workspace".to_owned()),
            base_ref: base,
            author: person(),
            draft: false,
            fork: false,
            closed: false,
            merged: false,
            labels: Vec::new(),
        })
    }

    /// The commit that stands in the workspace: git's head, else a digest of ci.toml and the layers' files.
    fn workspace_sha(&self, repository: Option<&Repository>) -> Result<Sha, Stop> {
        if let Some(sha) = repository.map(Repository::head).transpose()?.flatten() {
            return Ok(sha);
        }
        let written = self.local()?.written()?;
        let root = &self.project.root;
        let ci_toml = root.join(Path::new(&self.project.rules.source.name).file_name().unwrap_or_default());
        crate::forge::local::folder::folder_sha(root, &ci_toml, &self.layer_paths(), &written)
            .map_err(|error| Stop::failed(format!("cannot read the files of the layers: {error}")))
    }

    /// The globs of every layer's files.
    pub(super) fn layer_paths(&self) -> Vec<crate::model::pattern::Wildcard> {
        self.project.rules.layers.values().flat_map(|layer| layer.paths.iter().cloned()).collect()
    }
}

/// The folder of the local forge, where `--forge` or `CI_FORGE` names one.
fn forge_folder(global: &Global) -> Result<Option<PathBuf>, Stop> {
    let named = global.forge.clone().or_else(|| environment::variable("CI_FORGE"));
    match named.as_deref().map(|named| named.split_once(':').unwrap_or((named, ""))) {
        None | Some(("local", "")) => Ok(None),
        Some(("local", folder)) => Ok(Some(PathBuf::from(folder))),
        Some((other, _)) => {
            Err(Stop::usage(format!("there is no forge `{other}`"))
                .help("write `--forge local` or `--forge local:DIR`"))
        }
    }
}

/// Who sits at this machine.
pub(super) fn person() -> String {
    ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .find_map(|name| environment::variable(name))
        .unwrap_or_else(|| "you".to_owned())
}
