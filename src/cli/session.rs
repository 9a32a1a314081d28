//! One call's standing in the world: the forge, the project whose rules count, the run that this process is.

use std::path::Path;
use std::sync::OnceLock;

use super::args::Global;
use super::board::Dashboard;
use super::place::Place;
use super::project::{self, Project};
use super::stop::Stop;
use super::{base, environment};
use crate::command;
use crate::exec::cancel::Cancel;
use crate::forge::Forge;
use crate::forge::git::Repository;
use crate::forge::github::GitHub;
use crate::forge::local::Local;
use crate::model::event::{Event, Pull};
use crate::model::ids::{PullNumber, RunId, Sha};

/// A project and its forge.
pub(super) struct Session {
    pub(super) project: Project,
    place: Place,
    /// The pull request, where it had to be asked for to find the rules.
    pull: Option<Pull>,
    /// Whether the rules are those at the tip of the base branch, wherever they were read.
    pub(super) from_base: bool,
    run: OnceLock<(Option<RunId>, String)>,
    cancel: OnceLock<Cancel>,
    verbose: bool,
}

/// What a call is about, as far as the caller says.
#[derive(Clone, Copy, Default)]
pub(super) struct About<'a> {
    pub(super) event: Option<&'a Event>,
    pub(super) pull: Option<PullNumber>,
}

impl About<'_> {
    pub(super) fn pull(pull: PullNumber) -> Self {
        Self { event: None, pull: Some(pull) }
    }
}

impl Session {
    /// Opens the forge and the project. Of a pull request on GitHub the rules are those of its base.
    pub(super) fn open(global: &Global, about: About<'_>) -> Result<Self, Stop> {
        Self::at(Place::choose(global)?, global, about)
    }

    /// The same for what an event asks for. Whatever is wrong with the rules, a remark is none of theirs.
    pub(super) fn open_for(global: &Global, event: &Event) -> Result<Self, Stop> {
        Self::open(global, About { event: Some(event), pull: None }).map_err(|stop| {
            if stop.heeds_commands_alone() && is_remark(event) {
                return Stop::nothing_to_do("nothing to do: no line of the comment looks like a command");
            }
            stop
        })
    }

    /// The same, at a forge that was chosen before.
    pub(super) fn at(place: Place, global: &Global, about: About<'_>) -> Result<Self, Stop> {
        let found = match &place {
            Place::GitHub(github) => base::rules(global, github.as_ref(), about)?,
            Place::Local { .. } => None,
        };
        let (project, pull, from_base) = match found {
            Some(base::Rules { project, pull }) => (project, pull, true),
            None => (project::open(global)?, None, false),
        };
        Ok(Self { pull, from_base, ..Self::of(global, project, place) })
    }

    /// Opens the project on the local forge, whatever tokens are there.
    pub(super) fn open_local(global: &Global) -> Result<Self, Stop> {
        let place = match Place::choose(&Global {
            forge: global.forge.clone().or(Some("local".to_owned())),
            ..global.clone()
        })? {
            local @ Place::Local { .. } => local,
            Place::GitHub(_) => {
                return Err(Stop::usage("this is done on the local forge alone").help("leave `--forge github` out"));
            }
        };
        Ok(Self::of(global, project::open(global)?, place))
    }

    /// A standing from which something can be said where no rules can be used.
    pub(super) fn without_rules(global: &Global) -> Result<Self, Stop> {
        Ok(Self::of(global, project::without_rules(global)?, Place::choose(global)?))
    }

    fn of(global: &Global, project: Project, place: Place) -> Self {
        let (run, cancel) = (OnceLock::new(), OnceLock::new());
        Self { project, place, pull: None, from_base: false, run, cancel, verbose: global.verbose }
    }

    /// Cancellation by a signal, listened for from the first time that work is about to begin. One for the call: who
    /// cancels the first command means the others too.
    pub(super) fn cancel(&self) -> Result<&Cancel, Stop> {
        if self.cancel.get().is_none() {
            let cancel = Cancel::new();
            cancel.listen().map_err(|error| Stop::failed(format!("cannot listen for signals: {error}")))?;
            self.cancel.get_or_init(|| cancel);
        }
        self.cancel.get().ok_or_else(|| Stop::failed("signals cannot be heard"))
    }

    /// The local forge, where that is the one.
    pub(super) fn local(&self) -> Result<Option<&Local>, Stop> {
        self.forge()?;
        Ok(match &self.place {
            Place::Local { opened, .. } => opened.get(),
            Place::GitHub(_) => None,
        })
    }

    /// GitHub, where that is the one.
    pub(super) fn github(&self) -> Option<&GitHub> {
        match &self.place {
            Place::GitHub(github) => Some(github),
            Place::Local { .. } => None,
        }
    }

    /// The forge.
    pub(super) fn forge(&self) -> Result<&dyn Forge, Stop> {
        self.place.open(&self.project.root, self.verbose)
    }

    /// The dashboard of a commit, about a pull request or none.
    pub(super) fn dashboard(&self, sha: Sha, pull: Option<PullNumber>) -> Result<Dashboard<'_>, Stop> {
        let project = &self.project;
        Ok(Dashboard::new(self.forge()?, (&project.rules, &project.templates), sha, pull))
    }

    /// The run that this process is, and its page: one of GitHub Actions, else a new one of the local forge. On GitHub,
    /// but away from its runners, there is no run, and the page is the pull request's.
    pub(super) fn run(&self, pull: Option<PullNumber>) -> Result<(Option<RunId>, &str), Stop> {
        if self.run.get().is_none() {
            let found = match (environment::run_id(), environment::run_url(), self.local()?) {
                (Some(run), Some(url), _) => (Some(run), url),
                (_, _, Some(local)) => {
                    let run = RunId { id: local.next_run_id()?, attempt: 1 };
                    (Some(run), local.run_url(run))
                }
                (_, _, None) => (
                    None,
                    pull.map_or_else(String::new, |pull| {
                        self.forge().map_or_else(|_| String::new(), |forge| forge.pull_url(pull))
                    }),
                ),
            };
            self.run.get_or_init(|| found);
        }
        self.run.get().map(|(run, url)| (*run, url.as_str())).ok_or_else(|| Stop::failed("there is no run"))
    }

    /// A pull request: as the event tells it, else as the forge does; where the local forge does not know the one that an
    /// event names, the rest of it is taken from the workspace.
    pub(super) fn pull(&self, number: PullNumber, event: Option<&Event>) -> Result<Pull, Stop> {
        let told = event.and_then(Event::pull).or_else(|| self.pull.clone()).filter(|pull| pull.number == number);
        let local = self.local()?;
        let pull = match (told, local) {
            (Some(pull), None) => return Ok(pull),
            (Some(pull), Some(_)) => pull,
            (None, _) => {
                let named = event.filter(|event| event.pull_number() == Some(number));
                match (self.forge()?.pull(number), named, local) {
                    (Err(crate::forge::Error::NotFound(_)), Some(event), Some(_)) => {
                        event.pull_of_issue(self.workspace_pull(number, "main")?)
                    }
                    (pull, ..) => return pull.map_err(|error| self.no_pull(number, error)),
                }
            }
        };
        if let Some(local) = local {
            local.save_pull(&pull)?;
        }
        Ok(pull)
    }

    /// A pull request that the forge knows.
    pub(super) fn known_pull(&self, number: PullNumber) -> Result<Pull, Stop> {
        match &self.pull {
            Some(pull) if pull.number == number => Ok(pull.clone()),
            Some(_) | None => self.forge()?.pull(number).map_err(|error| self.no_pull(number, error)),
        }
    }

    /// Why a pull request cannot be had here.
    fn no_pull(&self, number: PullNumber, error: crate::forge::Error) -> Stop {
        match (&error, &self.place) {
            (crate::forge::Error::NotFound(_), Place::Local { .. }) => Stop::from(error)
                .help(format_args!("`ci try COMMENT --pr {number}` makes it, on the local forge that is used here")),
            _ => no_pull(number, error),
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
            head_sha: self.workspace_sha()?,
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

    /// The commit that stands in the workspace: git's head, else, on the local forge, a digest of ci.toml and the layers'
    /// files.
    pub(super) fn workspace_sha(&self) -> Result<Sha, Stop> {
        if let Some(sha) = Repository::find(&self.project.root)?.as_ref().map(Repository::head).transpose()?.flatten() {
            return Ok(sha);
        }
        let Some(local) = self.local()? else { return Err(Stop::usage("nothing names the commit that is meant")) };
        let root = &self.project.root;
        let ci_toml = root.join(Path::new(&self.project.rules.source.name).file_name().unwrap_or_default());
        crate::forge::local::folder::folder_sha(root, &ci_toml, &self.layer_paths(), &local.written()?)
            .map_err(|error| Stop::failed(format!("cannot read the files of the layers: {error}")))
    }

    /// Who speaks here: the person that the workflow names, else who sits at this machine, else the token's user.
    pub(super) fn actor(&self) -> Result<String, Stop> {
        match (environment::actor(), self.local()?) {
            (Some(actor), _) => Ok(actor),
            (None, Some(_)) => Ok(person()),
            (None, None) => Ok(self.forge()?.account()?),
        }
    }

    /// The globs of every layer's files.
    pub(super) fn layer_paths(&self) -> Vec<crate::model::pattern::Wildcard> {
        self.project.rules.layers.values().flat_map(|layer| layer.paths.iter().cloned()).collect()
    }
}

/// Whether an event is a comment without a line that looks like a command.
fn is_remark(event: &Event) -> bool {
    let lines = event.comment().map(|comment| command::lines(&comment.body));
    lines.is_some_and(|lines| !lines.iter().any(|line| command::looks_like_one(line)))
}

/// Why a pull request cannot be had, and where it is not there, what may be wrong.
pub(super) fn no_pull(number: PullNumber, error: crate::forge::Error) -> Stop {
    let missing = matches!(error, crate::forge::Error::NotFound(_));
    let stop = Stop::from(error);
    if !missing {
        return stop;
    }
    stop.help(format_args!("is {number} a pull request, of the repository that is meant, and may the token read it?"))
}

/// Who sits at this machine.
pub(super) fn person() -> String {
    ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .find_map(|name| environment::variable(name))
        .unwrap_or_else(|| "you".to_owned())
}
