//! The expressions and templates that stand in values of ci.toml: `{{ pr.head.sha }}`, `args.action == 'plan'`. They
//! are minijinja's, evaluated with fuel over what the event gives. It does not know how the dashboard is drawn.

use std::sync::{Arc, LazyLock};

use indexmap::IndexMap;
use minijinja::value::{Enumerator, Object, Serde};
use minijinja::{Environment, UndefinedBehavior, Value};

use crate::model::rules::{Condition, Layer, Template};
use crate::terraform;

/// Steps of minijinja's machine that one value may take.
const FUEL: u64 = 100_000;

/// Why an expression could not be evaluated. The message names what was missing or wrong.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot evaluate `{expression}`: {reason}")]
pub(crate) struct Error {
    pub(crate) expression: String,
    pub(crate) reason: String,
}

/// The names that an expression can see.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    names: IndexMap<String, Value>,
}

impl Scope {
    /// Makes `name` stand for `value`.
    pub(crate) fn set(&mut self, name: &str, value: impl serde::Serialize) {
        self.names.insert(name.to_owned(), Value::from(Serde(value)));
    }

    /// Makes `name` stand for a value that is minijinja's already.
    pub(crate) fn set_value(&mut self, name: &str, value: Value) {
        self.names.insert(name.to_owned(), value);
    }

    /// Makes `layer` stand for this layer.
    pub(crate) fn set_layer(&mut self, layer: &Layer) {
        self.names.insert("layer".to_owned(), layer_value(layer));
    }

    /// Makes `inputs` stand for these. One that was not given is the empty text, as in a workflow.
    pub(crate) fn set_inputs(&mut self, given: Option<&serde_json::Map<String, serde_json::Value>>) {
        let given = given.into_iter().flatten().filter(|(_, value)| !value.is_null());
        let given = given.map(|(name, value)| (name.clone(), Value::from(Serde(value)))).collect();
        self.names.insert("inputs".to_owned(), Value::from_object(Inputs(given)));
    }

    pub(crate) fn value(&self) -> Value {
        Value::from_pairs(self.names.iter().map(|(name, value)| (name.clone(), value.clone())))
    }
}

/// A layer as templates see it: prints its key, and has `.key .name .dir .engine .vars`.
pub(crate) fn layer_value(layer: &Layer) -> Value {
    Value::from_object(LayerObject {
        key: layer.key.value.clone(),
        name: layer.name.clone(),
        dir: layer.dir.value.clone(),
        engine: layer.engine.clone(),
        vars: layer.vars.clone(),
    })
}

#[derive(Debug)]
struct LayerObject {
    key: String,
    name: String,
    dir: String,
    engine: String,
    vars: IndexMap<String, String>,
}

impl Object for LayerObject {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(match key.as_str()? {
            "key" => Value::from(&*self.key),
            "name" => Value::from(&*self.name),
            "dir" => Value::from(&*self.dir),
            "engine" => Value::from(&*self.engine),
            "vars" => Value::from_pairs(self.vars.iter().map(|(name, value)| (name.clone(), value.clone()))),
            _ => return None,
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&["key", "name", "dir", "engine", "vars"])
    }

    fn render(self: &Arc<Self>, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.key)
    }
}

#[derive(Debug)]
struct Inputs(IndexMap<String, Value>);

impl Object for Inputs {
    fn get_value(self: &Arc<Self>, name: &Value) -> Option<Value> {
        Some(self.0.get(name.as_str()?).cloned().unwrap_or_else(|| Value::from("")))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.keys().map(|name| Value::from(name.as_str())).collect())
    }
}

/// Where what is missing is an error.
static STRICT: LazyLock<Environment<'static>> = LazyLock::new(|| environment(UndefinedBehavior::Strict));

/// Where what is missing is false.
static CHAINABLE: LazyLock<Environment<'static>> = LazyLock::new(|| environment(UndefinedBehavior::Chainable));

/// Renders a value of ci.toml. Anything missing is an error.
pub(crate) fn render(template: &Template, scope: &Scope) -> Result<String, Error> {
    if !template.source.contains("{{") && !template.source.contains("{%") && !template.source.contains("{#") {
        return Ok(template.source.clone());
    }
    STRICT.render_str(&template.source, scope.value()).map_err(|error| failed(&template.source, &error))
}

/// Whether a value of ci.toml asks for this name.
pub(crate) fn mentions(source: &str, name: &str) -> bool {
    STRICT.template_from_str(source).is_ok_and(|read| read.undeclared_variables(false).contains(name))
}

/// Whether it cannot be rendered without this name: it asks for it, and neither whether it is there nor for something else
/// where it is not.
pub(crate) fn needs(source: &str, name: &str) -> bool {
    let words = source.replace('|', " | ").split_whitespace().collect::<Vec<_>>().join(" ");
    let longer = |before: &str| before.ends_with(|end: char| end.is_alphanumeric() || "_.".contains(end));
    let provides = ["is defined", "is not defined", "is undefined", "| default", "| d("]
        .iter()
        .any(|test| words.match_indices(&format!("{name} {test}")).any(|(at, _)| !longer(&words[..at])));
    mentions(source, name) && !provides
}

/// Whether a condition holds. What is missing is false.
pub(crate) fn holds(condition: &Condition, scope: &Scope) -> Result<bool, Error> {
    let value = CHAINABLE
        .compile_expression(&condition.source)
        .and_then(|expression| expression.eval(scope.value()))
        .map_err(|error| failed(&condition.source, &error))?;
    Ok(value.is_true())
}

/// Whether a condition asks for nothing but this name.
pub(crate) fn asks_only(condition: &Condition, name: &str) -> bool {
    let read = CHAINABLE.compile_expression(&condition.source);
    read.is_ok_and(|read| read.undeclared_variables(false).iter().all(|asked| asked == name))
}

/// The environment of every value in ci.toml; the filters are those that the reference lists.
pub(crate) fn environment(undefined: UndefinedBehavior) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(undefined);
    environment.set_fuel(Some(FUEL));
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    terraform::add_filters(&mut environment);
    environment
}

fn failed(expression: &str, error: &minijinja::Error) -> Error {
    let reason = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    Error { expression: expression.to_owned(), reason }
}
