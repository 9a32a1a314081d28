//! The project: its ci.toml, found and checked, and its templates.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::args::Global;
use super::console;
use super::stop::Stop;
use crate::config::{self, Loaded};
use crate::diagnostic::{Diagnostic, Format, Severity, report};
use crate::model::rules::Rules;
use crate::model::span::Source;
use crate::render::Templates;

/// The file that everything is declared in.
pub(super) const NAME: &str = "ci.toml";

/// The folder of templates, where ci.toml names no other.
pub(super) const TEMPLATES: &str = "templates";

/// A project whose ci.toml is right.
pub(super) struct Project {
    /// The folder of ci.toml.
    pub(super) root: PathBuf,
    pub(super) rules: Rules,
    pub(super) templates: Templates,
}

/// What was read of a ci.toml, right or wrong.
pub(super) struct Reading {
    pub(super) root: PathBuf,
    source: Source,
    pub(super) loaded: Loaded,
    pub(super) templates: BTreeMap<String, Source>,
}

/// The folder that the call works in.
pub(super) fn directory(global: &Global) -> PathBuf {
    global.directory.clone().unwrap_or_else(|| PathBuf::from("."))
}

/// Opens the project; every problem of its ci.toml is printed.
pub(super) fn open(global: &Global) -> Result<Project, Stop> {
    let path = find(global)?;
    usable(read(&path, &shown(&path, global))?)
}

/// Opens the project, where it is there and right.
pub(super) fn open_quietly(global: &Global) -> Option<Project> {
    let path = find(global).ok()?;
    judged(read(&path, NAME).ok()?).ok()
}

/// A project from texts that were read elsewhere; `root` is where its folder is here.
pub(super) fn of_sources(root: PathBuf, config: Source, templates: BTreeMap<String, Source>) -> Result<Project, Stop> {
    let loaded = config::load(config.clone(), &templates);
    usable(Reading { root, source: config, loaded, templates })
}

/// A project of its own, without rules of anybody's: for what is to be said where those that count cannot be used.
pub(super) fn without_rules(global: &Global) -> Result<Project, Stop> {
    of_sources(directory(global), Source::new(NAME, "version = 1\n"), BTreeMap::new())
}

/// The project, where nothing is wrong with it; else every problem is printed.
fn usable(reading: Reading) -> Result<Project, Stop> {
    let source = reading.source.clone();
    judged(reading).map_err(|problems| {
        console::warn_text(&report(&problems, Format::Human, console::colored_errors()));
        Stop::unusable(&problems, config::outline(&source))
    })
}

/// The project, where nothing is wrong with it.
fn judged(reading: Reading) -> Result<Project, Vec<Diagnostic>> {
    let Reading { root, loaded, templates, .. } = reading;
    let mut problems = loaded.diagnostics;
    let templates = Templates::new(templates).map_err(|more| problems.extend(more)).ok();
    problems.retain(|problem| problem.severity == Severity::Error);
    match (loaded.rules, templates) {
        (Some(rules), Some(templates)) => Ok(Project { root, rules, templates }),
        _ => Err(problems),
    }
}

/// The path of ci.toml: as it was named, else in this folder or the nearest above that has one.
pub(super) fn find(global: &Global) -> Result<PathBuf, Stop> {
    let folder = directory(global);
    if let Some(config) = &global.config {
        let path = folder.join(config);
        return if path.is_file() {
            Ok(path)
        } else {
            Err(Stop::usage(format!("there is no file `{}`", path.display()))
                .help("`ci new` writes a ci.toml to start from"))
        };
    }
    let absolute = folder
        .canonicalize()
        .map_err(|error| Stop::usage(format!("cannot enter the folder `{}`: {error}", folder.display())))?;
    if !absolute.is_dir() {
        return Err(Stop::usage(format!("`{}` is not a folder", folder.display())));
    }
    absolute.ancestors().map(|folder| folder.join(NAME)).find(|path| path.is_file()).ok_or_else(|| {
        Stop::usage(format!("there is no {NAME} in `{}` or above", absolute.display()))
            .help("`ci new` writes one to start from")
    })
}

/// The path as people typed it, or as short as can be.
pub(super) fn shown(path: &Path, global: &Global) -> String {
    let current = std::env::current_dir().ok();
    let short = current.as_deref().and_then(|current| path.strip_prefix(current).ok()).unwrap_or(path);
    match &global.config {
        Some(config) if global.directory.is_none() => config.display().to_string(),
        Some(_) | None => short.strip_prefix("./").unwrap_or(short).display().to_string(),
    }
}

/// Reads a ci.toml and its templates.
pub(super) fn read(path: &Path, name: &str) -> Result<Reading, Stop> {
    let text = std::fs::read(path).map_err(|error| Stop::usage(format!("cannot read `{name}`: {error}")))?;
    let text = String::from_utf8(text)
        .map_err(|error| Stop::usage(format!("`{name}` is no UTF-8 at byte {}", error.utf8_error().valid_up_to())))?;
    let root = path.parent().unwrap_or(Path::new(".")).to_path_buf();
    let root = root.canonicalize().unwrap_or(root);
    let source = Source::new(name, text);
    let named = config::templates_folder(&source).unwrap_or_else(|| TEMPLATES.to_owned());
    let templates = folder(&root.join(named));
    let loaded = config::load(source.clone(), &templates);
    Ok(Reading { root, source, loaded, templates })
}

/// The templates of a folder by file name; nothing where there is no such folder.
fn folder(folder: &Path) -> BTreeMap<String, Source> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok().filter(|name| name.ends_with(".j2"))?;
            let text = std::fs::read_to_string(entry.path()).ok()?;
            let shown = format!("{}/{name}", folder.file_name()?.to_string_lossy());
            Some((name, Source::new(shown, text)))
        })
        .collect()
}
