mod random;

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::{Case, Decided, decide, readings};
use crate::cases;
use crate::config;
use crate::gate::{Facts, Known, PersonaFacts, Standing};
use crate::model::event::{Event, Pull};
use crate::model::ids::PullNumber;
use crate::model::pattern::Wildcard;
use crate::model::rules::{Checks, Permission, Persona, Rules};
use crate::model::span::Source;

/// Two layers, the higher one first; one command whose handler does not run for each layer.
const CONFIG: &str = r#"
version = 1

[layers.high]
dir   = "high"
after = ["low"]
gates = { deploy = "owners" }

[layers.low]
dir = "low"

[stages.plan]
name = "Plan"

[stages.validate]
name = "Validate"

[stages.deploy]
name = "Deploy"

[commands.deploy]
pattern     = '/deploy(\s+(?<layers>.+))?'
args.layers = { type = "layers", default = "all" }

[commands.validate]
pattern = '/validate'

[gates.writers]
permission = "write"

[gates.owners]
permission = "admin"
approvals  = 2
planned    = "validate"

[[rules]]
command = "deploy"
gate    = "writers"
run     = "deploy"

[[rules]]
command = "validate"
gate    = "writers"
run     = "validate"

[[rules]]
on     = "pull_request"
layers = "changed"
run    = ["plan", "digger"]

[handlers.deploy]
stage = "deploy"
steps = [
  { run = ["show"], capture = "plan", matches = "plan" },
  { run = ["make", "deploy"] },
]

[handlers.validate]
stage = "validate"
steps = [{ run = ["true"] }]

[handlers.plan]
stage  = "plan"
record = { changes = "plan" }
steps  = [{ run = ["show"], capture = "plan" }]

[handlers.digger]
delegate = "digger"
"#;

fn rules() -> Rules {
    let loaded = config::load(Source::new("ci.toml", CONFIG), &BTreeMap::new());
    loaded.rules.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics))
}

/// A persona that remembers since which stage's record approvals were asked to count.
#[derive(Default)]
struct Asked {
    persona: PersonaFacts,
    approvals: RefCell<Vec<(Option<String>, Option<String>)>>,
}

impl Facts for Asked {
    fn permission(&self, login: &str) -> Known<Permission> {
        self.persona.permission(login)
    }

    fn team_member(&self, team: &str, login: &str) -> Known<bool> {
        self.persona.team_member(team, login)
    }

    fn approvals(&self, stage: Option<&str>, layer: Option<&str>) -> Known<u32> {
        self.approvals.borrow_mut().push((stage.map(str::to_owned), layer.map(str::to_owned)));
        self.persona.approvals(stage, layer)
    }

    fn checks(&self, wanted: &Checks) -> Known<Standing> {
        self.persona.checks(wanted)
    }

    fn mergeable(&self) -> Known<bool> {
        self.persona.mergeable()
    }

    fn up_to_date(&self, paths: &[Wildcard]) -> Known<bool> {
        self.persona.up_to_date(paths)
    }

    fn planned(&self, stage: &str, layer: Option<&str>) -> Known<bool> {
        self.persona.planned(stage, layer)
    }

    fn changed(&self, paths: &[Wildcard]) -> Known<Option<String>> {
        self.persona.changed(paths)
    }
}

fn pull() -> Pull {
    cases::pull(PullNumber(1), &Persona::default()).unwrap()
}

fn decided(event: &Event, pull: &Pull, facts: &dyn Facts) -> Vec<Decided> {
    decided_by(&rules(), event, pull, facts)
}

fn decided_by(rules: &Rules, event: &Event, pull: &Pull, facts: &dyn Facts) -> Vec<Decided> {
    let readings = readings(rules, event);
    let case = Case {
        rules,
        event,
        pull: Some(pull),
        readings: &readings,
        actor: "somebody",
        repository: "owner/name",
        run: None,
        facts,
    };
    decide(&case)
}

fn commented(body: &str, facts: &dyn Facts) -> Decided {
    decided(&cases::comment_event(body, &Persona::default()), &pull(), facts).pop().unwrap()
}

fn writer() -> PersonaFacts {
    PersonaFacts { persona: Persona { permission: Some(Permission::Write), ..Persona::default() }, changed: None }
}

#[test]
fn a_layer_holds_work_to_its_gate_also_where_it_is_done_for_all_layers_at_once() {
    let all = commented("/deploy", &writer()).agenda.unwrap();
    let refused: Vec<_> = all.refused().map(|part| (part.code, part.gate.as_str())).collect();
    assert_eq!(refused, [("permission", "owners")]);
    assert!(all.jobs.is_empty());
    assert_eq!(all.layers, ["low", "high"], "lower layers first, wherever they stand");
    let low = commented("/deploy low", &writer()).agenda.unwrap();
    assert_eq!((low.refused().count(), low.jobs.len()), (0, 1));
}

#[test]
fn approvals_count_from_the_record_that_the_work_is_held_to() {
    let asked = Asked::default();
    commented("/deploy high", &asked);
    assert_eq!(*asked.approvals.borrow(), [(Some("plan".to_owned()), Some("high".to_owned()))]);
}

#[test]
fn a_refusal_says_what_to_type_for_the_gate_that_refuses() {
    let persona = Persona { planned: Some(false), ..Persona::default() };
    let agenda = commented("/deploy high", &PersonaFacts { persona, changed: None }).agenda.unwrap();
    let remedies: Vec<_> = agenda.refused().map(|part| part.remedy.as_str()).collect();
    assert_eq!(remedies, ["comment `/validate`"]);
}

/// No command plans here: pull requests do.
#[test]
fn a_refusal_names_no_command_that_there_is_not() {
    let mut rules = rules();
    let plan = rules.stages["plan"].key.clone();
    rules.gates["owners"].planned = Some(plan);
    let facts = PersonaFacts { persona: Persona { planned: Some(false), ..Persona::default() }, changed: None };
    for (line, gate) in [("/deploy high", "owners"), ("/deploy planned", "writers")] {
        let event = cases::comment_event(line, &Persona::default());
        let agenda = decided_by(&rules, &event, &pull(), &facts).pop().unwrap().agenda.unwrap();
        let refused: Vec<_> = agenda.refused().map(|part| (part.gate.as_str(), part.remedy.as_str())).collect();
        assert_eq!(refused, [(gate, "have `plan` run for this commit")]);
    }
}

#[test]
fn where_no_layer_changed_nothing_that_is_about_layers_runs() {
    let payload = cases::synthetic("pull_request", Some("opened"), "main", &Persona::default());
    let event = Event::new("pull_request", payload);
    let mut rules = rules();
    rules.stages["plan"].each = true;
    let jobs = |changed: &str| {
        let facts = PersonaFacts { changed: Some(vec![changed.to_owned()]), ..PersonaFacts::default() };
        let agenda = decided_by(&rules, &event, &pull(), &facts)[0].agenda.clone().unwrap();
        (agenda.jobs.len(), agenda.idle.len())
    };
    assert_eq!(jobs("low/main.tf"), (2, 1));
    assert_eq!(jobs("README.md"), (0, 2));
}

#[test]
fn nobody_is_answered_on_a_closed_pull_request() {
    let closed = Pull { closed: true, ..pull() };
    let event = |body| cases::comment_event(body, &Persona::default());
    let wrong = decided(&event("/deploy lwo"), &closed, &writer());
    assert!(wrong.iter().all(|decided| decided.misfit.is_none()));
    let right = decided(&event("/deploy low"), &closed, &writer()).pop().unwrap();
    assert!(right.agenda.is_none() && right.ignored.is_some());
}

/// The gate asks for another stage than the one whose record makes a layer planned.
#[test]
fn where_nothing_was_planned_a_refusal_says_what_plans() {
    let text = "version = 1\n[layers.net]\ndir = 'net'\n[stages.plan]\neach = 'layer'\n[stages.policy]\neach = 'layer'\n\
                [stages.apply]\nafter = ['plan']\n\
                [commands.plan]\npattern = '/plan'\n[commands.policy]\npattern = '/policy'\n\
                [commands.apply]\npattern = '/apply'\n[gates.apply]\npermission = 'write'\nplanned = 'policy'\n\
                [[rules]]\ncommand = 'plan'\ngate = 'anyone'\nrun = 'plan'\n\
                [[rules]]\ncommand = 'policy'\ngate = 'anyone'\nrun = 'policy'\n\
                [[rules]]\ncommand = 'apply'\nlayers = 'planned'\ngate = 'apply'\nrun = 'apply'\n\
                [handlers.plan]\neach = 'layer'\nstage = 'plan'\nrecord = { changes = 'plan' }\n\
                steps = [{ run = ['true'], capture = 'plan' }]\n\
                [handlers.policy]\neach = 'layer'\nstage = 'policy'\nsteps = [{ run = ['true'] }]\n\
                [handlers.apply]\neach = 'layer'\nstage = 'apply'\n\
                steps = [{ run = ['true'], capture = 'plan', matches = 'plan' }, { run = ['true'] }]\n";
    let rules = config::load(Source::new("ci.toml", text), &BTreeMap::new()).rules.unwrap();
    let facts = PersonaFacts { persona: Persona { planned: Some(false), ..Persona::default() }, changed: None };
    let event = cases::comment_event("/apply", &Persona::default());
    let agenda = decided_by(&rules, &event, &pull(), &facts).pop().unwrap().agenda.unwrap();
    let refused: Vec<_> = agenda.refused().map(|part| (part.wanted.as_str(), part.remedy.as_str())).collect();
    assert_eq!(refused[0], ("plan succeeded for this commit", "comment `/plan`"), "{refused:?}");
}
