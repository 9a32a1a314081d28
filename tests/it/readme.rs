//! The README says what is true: its commands are those that are run before a change lands, and its samples work.

use std::path::Path;
use std::process::Command;

use crate::project::{Project, Ran, binary, clean, repository};
use crate::terraform;

fn readme() -> String {
    std::fs::read_to_string(repository().join("README.md")).unwrap()
}

/// The blocks of code in this language.
fn blocks(language: &str) -> Vec<String> {
    let text = readme();
    let fence = format!("```{language}\n");
    let blocks = text.split(&fence).skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap().trim_end().to_owned()).collect()
}

#[test]
fn its_two_commands_are_run_before_a_change_lands() {
    let script = std::fs::read_to_string(repository().join(".ci/run")).unwrap();
    let commands = blocks("sh");
    assert_eq!(commands.len(), 2, "{commands:?}");
    for command in commands {
        // The output of one is kept too.
        let runs = |line: &str| line.trim() == command || line.starts_with(&format!("{command} 2>&1 |"));
        assert!(script.lines().any(runs), "`.ci/run` does not call `{command}`");
    }
}

#[test]
fn its_ci_toml_has_no_fault_and_plans() {
    let samples = blocks("toml");
    assert_eq!(samples.len(), 1);
    let project = Project::with(&samples[0]);
    let checked = project.ci(["check-config"]).exits(0);
    assert_eq!(checked.stdout, "no problems in ci.toml\n");
    project.write("web/live/index.html", "old\n");
    project.write("web/desired/index.html", "new\n");
    project.ci(["try", "/plan"]).exits(0);
    assert_eq!(project.row(1, "plan-web"), "success: ");
}

/// Types a line in a project's folder, where `ci` is the binary under test.
fn type_in(project: &Project, line: &str) -> Ran {
    let folder = Path::new(binary()).parent().unwrap().to_owned();
    let path = std::env::var_os("PATH").unwrap();
    let path = std::env::join_paths(std::iter::once(folder).chain(std::env::split_paths(&path))).unwrap();
    let mut shell = Command::new("sh");
    clean(&mut shell);
    Ran::of(shell.env("PATH", path).current_dir(project.path()).args(["-c", line]).output().unwrap())
}

/// What stands between backticks in a line, where it is a call of the binary.
fn calls(line: &str) -> Vec<String> {
    let spans = line.split('`').skip(1).step_by(2);
    spans.filter(|span| span.starts_with("ci ")).map(str::to_owned).collect()
}

#[test]
fn what_its_table_names_can_be_typed() {
    let project = Project::example("quickstart");
    project.ci(["try", "/plan"]).exits(0);
    let text = readme();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ")).collect();
    let calls: Vec<String> = rows.iter().flat_map(|row| calls(row)).collect();
    // The first row is the heading.
    assert!(calls.len() + 1 >= rows.len(), "{rows:#?}");
    for call in calls {
        let ran = type_in(&project, &call);
        assert_eq!(ran.code, 0, "`{call}`: {ran:#?}");
    }
}

/// The lines of an example's README that are typed, without their comments.
fn typed(name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(repository().join("examples").join(name).join("README.md")).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("$ "));
    lines.map(|line| line.split(" #").next().unwrap().trim_end().to_owned()).collect()
}

/// Types what an example's README says, in the example as a git repository of its own; the exit codes beside the lines.
fn follow(project: &Project, name: &str) -> Vec<(String, i32)> {
    let commit = "git init -q && git add . && git -c user.name=a -c user.email=a@b.c commit -qm first";
    type_in(project, commit).exits(0);
    typed(name).into_iter().map(|line| (line.clone(), type_in(project, &line).code)).collect()
}

#[test]
fn the_quickstart_goes_as_its_readme_says() {
    let ended = follow(&Project::example("quickstart"), "quickstart");
    let expected = [
        ("ci try \"/plan\"", 0),
        ("ci try \"/apply\"", 0),
        ("git checkout . && git clean -fdxq .", 0),
        ("ci try \"/apply\" --as read", 4),
        ("ci try \"/plan\"", 0),
        ("echo \"port = 5433\" >> db/live/settings.conf", 0),
        ("ci try \"/apply db\"", 1),
    ];
    assert_eq!(ended, expected.map(|(line, code)| (line.to_owned(), code)));
}

#[test]
fn the_terraform_example_goes_as_its_readme_says() {
    let Some(project) = terraform::in_a_folder() else { return };
    let ended = follow(&project, "terraform");
    let expected = [
        ("ci try \"/plan\"", 0),
        ("ci try \"/apply\"", 0),
        ("ci try \"/verify\"", 0),
        ("TF_VAR_zones=1 ci try \"/plan platform\"", 1),
        ("ci try \"/plan platform\"", 0),
        ("TF_VAR_zones=3 ci try \"/apply platform\"", 1),
        ("TF_VAR_password=another ci try \"/plan data-prod\"", 0),
        ("ci try \"/apply data-prod\" --as write", 4),
    ];
    assert_eq!(ended, expected.map(|(line, code)| (line.to_owned(), code)));
}
