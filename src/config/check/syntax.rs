//! Templates and expressions as their syntax trees: which names they use, which filters, tests and functions, and whether
//! they compare a layer with a text. It does not know which of these there are.

use std::collections::HashSet;
use std::ops::Range;

use minijinja::machinery::ast::{BinOpKind, Call, CallArg, Expr, Stmt};
use minijinja::machinery::{Span, parse, parse_expr};

/// A place within a template.
pub(super) type Place = Range<usize>;

/// A variable that is used, with the attributes that are asked of it: `pr.head.sha`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) root: String,
    pub(super) path: Vec<String>,
    pub(super) place: Place,
}

/// What a template uses.
#[derive(Debug, Default)]
pub(super) struct Uses {
    pub(super) variables: Vec<Use>,
    pub(super) filters: Vec<(String, Place)>,
    pub(super) tests: Vec<(String, Place)>,
    pub(super) functions: Vec<(String, Place)>,
    /// Where `layer` is compared with something.
    pub(super) compared: Vec<Place>,
    /// Names that the template itself sets.
    locals: HashSet<String>,
}

/// Why a template cannot be read.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) reason: String,
    pub(super) place: Option<Place>,
}

/// What a template uses.
pub(super) fn template(source: &str) -> Result<Uses, Wrong> {
    let tree = parse(source, "", Default::default()).map_err(|error| wrong(&error))?;
    let mut uses = Uses::default();
    uses.statement(&tree);
    Ok(uses.without_locals())
}

/// What an expression uses.
pub(super) fn expression(source: &str) -> Result<Uses, Wrong> {
    let tree = parse_expr(source).map_err(|error| wrong(&error))?;
    let mut uses = Uses::default();
    uses.expression(&tree);
    Ok(uses.without_locals())
}

fn wrong(error: &minijinja::Error) -> Wrong {
    let reason = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    Wrong { reason, place: error.range() }
}

fn place(span: Span) -> Place {
    span.start_offset as usize..span.end_offset as usize
}

impl Uses {
    /// A name that is set anywhere is taken as known everywhere: values of ci.toml are short.
    fn without_locals(mut self) -> Self {
        let Self { variables, functions, locals, .. } = &mut self;
        variables.retain(|one| !locals.contains(&one.root));
        functions.retain(|(name, _)| !locals.contains(name));
        self
    }

    fn block(&mut self, block: &[Stmt<'_>]) {
        block.iter().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &Stmt<'_>) {
        match statement {
            Stmt::Template(template) => self.block(&template.children),
            Stmt::EmitExpr(emit) => self.expression(&emit.expr),
            Stmt::EmitRaw(_) => {}
            Stmt::ForLoop(each) => {
                self.locals.insert("loop".to_owned());
                self.local(&each.target);
                self.expression(&each.iter);
                each.filter_expr.iter().for_each(|filter| self.expression(filter));
                self.block(&each.body);
                self.block(&each.else_body);
            }
            Stmt::IfCond(condition) => {
                self.expression(&condition.expr);
                self.block(&condition.true_body);
                self.block(&condition.false_body);
            }
            Stmt::WithBlock(with) => {
                for (target, value) in &with.assignments {
                    self.local(target);
                    self.expression(value);
                }
                self.block(&with.body);
            }
            Stmt::Set(set) => {
                self.local(&set.target);
                self.expression(&set.expr);
            }
            Stmt::SetBlock(set) => {
                self.local(&set.target);
                set.filter.iter().for_each(|filter| self.expression(filter));
                self.block(&set.body);
            }
            Stmt::AutoEscape(escape) => {
                self.expression(&escape.enabled);
                self.block(&escape.body);
            }
            Stmt::FilterBlock(filter) => {
                self.expression(&filter.filter);
                self.block(&filter.body);
            }
            Stmt::Block(block) => self.block(&block.body),
            Stmt::Extends(extends) => self.expression(&extends.name),
            Stmt::Include(include) => self.expression(&include.name),
            Stmt::Import(import) => {
                self.expression(&import.expr);
                self.local(&import.name);
            }
            Stmt::FromImport(import) => {
                self.expression(&import.expr);
                for (name, alias) in &import.names {
                    self.local(alias.as_ref().unwrap_or(name));
                }
            }
            Stmt::Macro(defined) => self.defined(defined.name, &defined.args, &defined.defaults, &defined.body),
            Stmt::CallBlock(block) => {
                self.call(&block.call, place(block.call.span()));
                let defined = &block.macro_decl;
                self.defined(defined.name, &defined.args, &defined.defaults, &defined.body);
            }
            Stmt::Do(done) => self.call(&done.call, place(done.call.span())),
        }
    }

    fn defined(&mut self, name: &str, arguments: &[Expr<'_>], defaults: &[Expr<'_>], body: &[Stmt<'_>]) {
        self.locals.extend([name.to_owned(), "caller".to_owned(), "varargs".to_owned(), "kwargs".to_owned()]);
        arguments.iter().for_each(|argument| self.local(argument));
        defaults.iter().for_each(|value| self.expression(value));
        self.block(body);
    }

    /// Names that the template itself sets.
    fn local(&mut self, target: &Expr<'_>) {
        match target {
            Expr::Var(variable) => drop(self.locals.insert(variable.id.to_owned())),
            Expr::List(list) => list.items.iter().for_each(|item| self.local(item)),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.local(item)),
            Expr::GetAttr(_)
            | Expr::GetItem(_)
            | Expr::Const(_)
            | Expr::Slice(_)
            | Expr::UnaryOp(_)
            | Expr::BinOp(_)
            | Expr::Compare(_)
            | Expr::IfExpr(_)
            | Expr::Filter(_)
            | Expr::Test(_)
            | Expr::Call(_)
            | Expr::Map(_) => {}
        }
    }

    fn expression(&mut self, expression: &Expr<'_>) {
        if let Some((root, path)) = attributes(expression) {
            self.variables.push(Use { root, path, place: place(expression.span()) });
            return;
        }
        match expression {
            Expr::Var(_) | Expr::Const(_) => {}
            Expr::GetAttr(get) => self.expression(&get.expr),
            Expr::GetItem(get) => {
                self.expression(&get.expr);
                self.expression(&get.subscript_expr);
            }
            Expr::Slice(slice) => {
                self.expression(&slice.expr);
                [&slice.start, &slice.stop, &slice.step].into_iter().flatten().for_each(|part| self.expression(part));
            }
            Expr::UnaryOp(operation) => self.expression(&operation.expr),
            Expr::BinOp(operation) => {
                if compares(&operation.op) {
                    self.comparison(&operation.left, &operation.right);
                }
                self.expression(&operation.left);
                self.expression(&operation.right);
            }
            Expr::Compare(compare) => {
                let mut left = &compare.expr;
                self.expression(left);
                for operation in &compare.ops {
                    self.comparison(left, &operation.expr);
                    self.expression(&operation.expr);
                    left = &operation.expr;
                }
            }
            Expr::IfExpr(choice) => {
                self.expression(&choice.test_expr);
                self.expression(&choice.true_expr);
                choice.false_expr.iter().for_each(|other| self.expression(other));
            }
            Expr::Filter(filter) => {
                self.filters.push((filter.name.to_owned(), place(expression.span())));
                filter.expr.iter().for_each(|value| self.expression(value));
                self.arguments(&filter.args);
            }
            Expr::Test(test) => {
                self.tests.push((test.name.to_owned(), place(expression.span())));
                self.expression(&test.expr);
                self.arguments(&test.args);
            }
            Expr::Call(call) => self.call(call, place(expression.span())),
            Expr::List(list) => list.items.iter().for_each(|item| self.expression(item)),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.expression(item)),
            Expr::Map(map) => map.keys.iter().chain(&map.values).for_each(|item| self.expression(item)),
        }
    }

    fn call(&mut self, call: &Call<'_>, at: Place) {
        match &call.expr {
            Expr::Var(function) => self.functions.push((function.id.to_owned(), at)),
            // A method: what is known of the fields of its object says nothing about it.
            Expr::GetAttr(method) => self.expression(&method.expr),
            other => self.expression(other),
        }
        self.arguments(&call.args);
    }

    fn arguments(&mut self, arguments: &[CallArg<'_>]) {
        for argument in arguments {
            match argument {
                CallArg::Pos(value)
                | CallArg::Kwarg(_, value)
                | CallArg::PosSplat(value)
                | CallArg::KwargSplat(value) => {
                    self.expression(value);
                }
            }
        }
    }

    /// `layer` is an object: it equals no text, and no list of texts holds it.
    fn comparison(&mut self, left: &Expr<'_>, right: &Expr<'_>) {
        let is_layer = |side: &Expr<'_>| matches!(side, Expr::Var(variable) if variable.id == "layer");
        let found = [(left, right), (right, left)].into_iter().find(|(one, other)| is_layer(one) && !is_layer(other));
        if let Some((layer, _)) = found {
            self.compared.push(place(layer.span()));
        }
    }
}

fn compares(operation: &BinOpKind) -> bool {
    match operation {
        BinOpKind::Eq
        | BinOpKind::Ne
        | BinOpKind::Lt
        | BinOpKind::Lte
        | BinOpKind::Gt
        | BinOpKind::Gte
        | BinOpKind::In => true,
        BinOpKind::ScAnd
        | BinOpKind::ScOr
        | BinOpKind::Add
        | BinOpKind::Sub
        | BinOpKind::Mul
        | BinOpKind::Div
        | BinOpKind::FloorDiv
        | BinOpKind::Rem
        | BinOpKind::Pow
        | BinOpKind::Concat => false,
    }
}

/// `a.b["c"]` as `a` and its path. `None` where it is anything else.
fn attributes(expression: &Expr<'_>) -> Option<(String, Vec<String>)> {
    if let Expr::Var(variable) = expression {
        return Some((variable.id.to_owned(), Vec::new()));
    }
    let (inner, name) = match expression {
        Expr::GetAttr(get) => (&get.expr, get.name.to_owned()),
        Expr::GetItem(get) => (&get.expr, get.subscript_expr.as_const()?.as_str()?.to_owned()),
        _ => return None,
    };
    let (root, mut path) = attributes(inner)?;
    path.push(name);
    Some((root, path))
}

#[cfg(test)]
mod tests {
    use super::{expression, template};

    #[test]
    fn what_a_template_uses() {
        let uses = template("{% for x in event.list %}{{ x.name | upper }}{{ pr['head'].sha }}{% endfor %}").unwrap();
        let names: Vec<_> = uses.variables.iter().map(|one| (&*one.root, one.path.join("."))).collect();
        assert_eq!(names, [("event", "list".to_owned()), ("pr", "head.sha".to_owned())]);
        assert_eq!(uses.filters.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["upper"]);
    }

    #[test]
    fn a_layer_that_is_compared() {
        for source in ["layer == 'a'", "layer in ['a']", "'a' != layer", "1 < layer < 2", "layer not in x"] {
            assert!(!expression(source).unwrap().compared.is_empty(), "{source}");
        }
        assert!(expression("layer.key == 'a' and layer").unwrap().compared.is_empty());
        assert!(expression("a ==").unwrap_err().place.is_some());
    }
}
