//! The rules that judge a pull request: those at the tip of its base branch, never its own. They are read from the forge,
//! or from the checkout where that is the tip of the base already.

use std::path::{Path, PathBuf};

use super::args::{ConfigFrom, Global};
use super::environment;
use super::project::{self, NAME, Project};
use super::session::{About, no_pull};
use super::stop::Stop;
use crate::forge::Forge;
use crate::forge::git::Repository;
use crate::model::event::{Event, Pull};
use crate::model::span::Source;
use crate::{command, config, decide};

/// The rules, and the pull request where it had to be asked for.
pub(super) struct Rules {
    pub(super) project: Project,
    pub(super) pull: Option<Pull>,
}

/// The rules for what a call is about; `None` where the file that stands here counts: for events about no pull request,
/// and where the caller says so.
pub(super) fn rules(global: &Global, forge: &dyn Forge, about: About<'_>) -> Result<Option<Rules>, Stop> {
    let number = about.pull.or_else(|| about.event.and_then(Event::pull_number));
    let (Some(number), ConfigFrom::Base) = (number, global.config_from) else { return Ok(None) };
    if let Some(project) = about.event.and_then(|event| of_no_command(global, event)) {
        return Ok(Some(Rules { project, pull: None }));
    }
    let told = about.event.and_then(Event::pull).filter(|pull| pull.number == number);
    let pull = match told {
        Some(pull) => pull,
        None => forge.pull(number).map_err(|error| no_pull(number, error))?,
    };
    let place = Place::of(global)?;
    let project = if place.is_tip_of(&pull.base_ref)? {
        project::open(global).map_err(|stop| stop.at_base(&pull.base_ref))?
    } else {
        declared(global, forge, &place, &pull.base_ref)?
    };
    Ok(Some(Rules { project, pull: Some(pull) }))
}

/// The project of the checkout, where a comment is none of ours by its rules and no line of it looks like a command, which
/// the base may know although the checkout does not: then nothing need be asked.
fn of_no_command(global: &Global, event: &Event) -> Option<Project> {
    event.comment()?;
    let project = project::open_quietly(global)?;
    let lines = decide::lines(&project.rules, event);
    let readings = command::read(&project.rules, &lines);
    let nobody = decide::concerns_nobody(&project.rules, event, &readings);
    (nobody && !lines.iter().any(|line| command::looks_like_one(line))).then_some(project)
}

/// Where ci.toml stands.
struct Place {
    checkout: Option<Repository>,
    /// The folder of the project here.
    root: PathBuf,
    /// Where ci.toml would stand here.
    file: PathBuf,
    /// The path of ci.toml in the repository, with `/`.
    config: String,
}

impl Place {
    fn of(global: &Global) -> Result<Self, Stop> {
        let folder = project::directory(global);
        let folder = folder.canonicalize().unwrap_or(folder);
        let file = project::find(global).ok().and_then(|path| path.canonicalize().ok());
        let file = file.unwrap_or_else(|| folder.join(global.config.as_deref().unwrap_or(Path::new(NAME))));
        let root = file.parent().map_or_else(|| folder.clone(), Path::to_path_buf);
        let checkout = Repository::find(if root.is_dir() { &root } else { &folder })?;
        let top = checkout.as_ref().map_or(root.as_path(), Repository::root);
        let config = file.strip_prefix(top).map_err(|_| {
            Stop::usage(format!("`{}` is not in the repository, so its base has none", file.display()))
                .help("`--config-from file` takes the file as it stands")
        })?;
        let config = config.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
        Ok(Self { checkout, root, file, config })
    }

    /// Whether ci.toml and its templates stand here as they do at the tip of a branch: the workflow runs for that branch,
    /// and what it runs for is checked out, unchanged.
    fn is_tip_of(&self, branch: &str) -> Result<bool, Stop> {
        let runs_for = environment::variable("GITHUB_REF").is_some_and(|name| name == format!("refs/heads/{branch}"));
        let (Some(checkout), Some(sha), true) = (&self.checkout, environment::sha(), runs_for) else {
            return Ok(false);
        };
        // Where none stands here, it is for the base to say so.
        let Ok(text) = std::fs::read_to_string(&self.file) else { return Ok(false) };
        let named = config::templates_folder(&Source::new(self.config.clone(), text));
        let templates = self.root.join(named.as_deref().unwrap_or(project::TEMPLATES));
        Ok(checkout.head()? == Some(sha) && checkout.unchanged(&self.file, &templates)?)
    }

    /// The path of a folder beside ci.toml.
    fn beside(&self, folder: &str) -> String {
        match self.config.rsplit_once('/') {
            Some((parent, _)) => format!("{parent}/{folder}"),
            None => folder.to_owned(),
        }
    }
}

fn declared(global: &Global, forge: &dyn Forge, place: &Place, branch: &str) -> Result<Project, Stop> {
    let mut declared = forge.declared(branch, &place.config, &place.beside(project::TEMPLATES))?;
    let Some(text) = declared.config.take() else {
        // A job without a checkout cannot tell a name that was mistyped from one that is yet to be merged.
        if global.config.is_some() && place.checkout.is_some() && !place.file.is_file() {
            return Err(Stop::usage(format!("there is no `{}`, neither here nor on `{branch}`", place.config))
                .help("look at `--config`; a file that the pull request brings takes effect when merged"));
        }
        return Err(Stop::nothing_to_do(format!(
            "the base branch `{branch}` has no `{}`: this one takes effect when merged",
            place.config
        )));
    };
    let source = Source::new(format!("{} of {branch}", place.config), text);
    if let Some(named) = config::templates_folder(&source).filter(|named| named != project::TEMPLATES) {
        declared.templates = forge.declared(branch, &place.config, &place.beside(&named))?.templates;
    }
    let template = |(name, text): (String, String)| {
        let source = Source::new(format!("{name} of {branch}"), text);
        (name, source)
    };
    project::of_sources(place.root.clone(), source, declared.templates.into_iter().map(template).collect())
}
