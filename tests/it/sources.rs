//! The map in `lib.rs` holds: each part imports only what stands before it, and only the edge touches the world.

use std::path::Path;

use crate::project::repository;

/// The parts of the crate, each with those it may import.
const MAY_IMPORT: [(&str, &[&str]); 15] = [
    ("model", &["model"]),
    ("inherited", &["inherited"]),
    ("diagnostic", &["diagnostic", "model"]),
    ("terraform", &["terraform"]),
    ("expr", &["expr", "model", "terraform"]),
    ("command", &["command", "expr", "model"]),
    ("gate", &["gate", "model"]),
    ("matcher", &["matcher", "command", "expr", "gate", "model"]),
    ("schedule", &["schedule", "command", "expr", "gate", "model"]),
    ("decide", &["decide", "command", "expr", "gate", "matcher", "schedule", "model"]),
    ("sync", &["sync"]),
    ("config", &["config", "render", "expr", "command", "diagnostic", "terraform", "model"]),
    ("render", &["render", "expr", "diagnostic", "terraform", "model", "schedule", "command"]),
    ("cases", &["cases", "decide", "diagnostic", "gate", "model"]),
    ("forge", &["forge", "inherited", "model"]),
];

const WORLD: [&str; 5] = ["std::fs", "std::env", "std::process", "std::net", "SystemTime"];

fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(repository().join("src")).unwrap().to_str().unwrap().to_owned();
            found.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
}

fn is_test(name: &str) -> bool {
    ["tests", "fixture", "sample", "exploration"].iter().any(|word| name.contains(word))
}

#[test]
fn imports_go_one_way() {
    let mut found = Vec::new();
    sources(&repository().join("src"), &mut found);
    let mut breaches = Vec::new();
    for (name, text) in found.iter().filter(|(name, _)| !is_test(name)) {
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let part = name.split(['/', '.']).next().unwrap();
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(known, _)| *known == part) else { continue };
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for (at, _) in line.match_indices("crate::") {
                let other = line[at + 7..].split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
                if !allowed.contains(&other) && MAY_IMPORT.iter().any(|(known, _)| *known == other)
                    || ["exec", "cli"].contains(&other)
                {
                    breaches.push(format!("src/{name}: {}", line.trim()));
                }
            }
            if part != "forge" && WORLD.iter().any(|word| line.contains(word)) {
                breaches.push(format!("src/{name}: {}", line.trim()));
            }
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}
