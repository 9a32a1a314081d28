//! Templates and expressions as their syntax trees: which names they use, which filters, tests and functions, and whether
//! they compare a layer with a text. It does not know which of these there are.

use std::collections::HashSet;
use std::ops::Range;

use minijinja::machinery::ast::{BinOpKind, Call, CallArg, Expr, Macro, Spanned, Stmt};
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
        let Parts { sets, reads, calls, blocks } = Parts::of(statement);
        self.locals.extend(names_of(statement).into_iter().map(str::to_owned));
        sets.into_iter().for_each(|target| self.local(target));
        reads.into_iter().for_each(|value| self.expression(value));
        calls.into_iter().for_each(|call| self.call(call, place(call.span())));
        blocks.into_iter().for_each(|block| self.block(block));
    }

    /// Names that the template itself sets.
    fn local(&mut self, target: &Expr<'_>) {
        if let Expr::Var(variable) = target {
            self.locals.insert(variable.id.to_owned());
        } else {
            operands(target).into_iter().for_each(|part| self.local(part));
        }
    }

    fn expression(&mut self, expression: &Expr<'_>) {
        let at = place(expression.span());
        if let Some((root, path)) = attributes(expression) {
            self.variables.push(Use { root, path, place: at });
            return;
        }
        if let Expr::Call(call) = expression {
            self.call(call, at);
            return;
        }
        if let Expr::Filter(filter) = expression {
            self.filters.push((filter.name.to_owned(), at));
        } else if let Expr::Test(test) = expression {
            self.tests.push((test.name.to_owned(), at));
        } else if let Expr::Compare(compare) = expression {
            let sides = std::iter::once(&compare.expr).chain(compare.ops.iter().map(|operation| &operation.expr));
            sides.clone().zip(sides.skip(1)).for_each(|(left, right)| self.comparison(left, right));
        } else if let Expr::BinOp(operation) = expression
            && compares(&operation.op)
        {
            self.comparison(&operation.left, &operation.right);
        }
        operands(expression).into_iter().for_each(|operand| self.expression(operand));
    }

    fn call(&mut self, call: &Call<'_>, at: Place) {
        if let Expr::Var(function) = &call.expr {
            self.functions.push((function.id.to_owned(), at));
        } else if let Expr::GetAttr(method) = &call.expr {
            // What is known of the fields of an object says nothing about its methods.
            self.expression(&method.expr);
        } else {
            self.expression(&call.expr);
        }
        arguments(&call.args).for_each(|argument| self.expression(argument));
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

/// What a statement is made of.
#[derive(Default)]
struct Parts<'t, 's> {
    /// What it gives a value to.
    sets: Vec<&'t Expr<'s>>,
    reads: Vec<&'t Expr<'s>>,
    calls: Vec<&'t Spanned<Call<'s>>>,
    blocks: Vec<&'t [Stmt<'s>]>,
}

impl<'t, 's> Parts<'t, 's> {
    fn of(statement: &'t Stmt<'s>) -> Self {
        match statement {
            Stmt::EmitRaw(_) => Self::default(),
            Stmt::Template(template) => Self::default().blocks([&template.children]),
            Stmt::Block(block) => Self::default().blocks([&block.body]),
            Stmt::EmitExpr(emit) => Self::default().reads([&emit.expr]),
            Stmt::Extends(extends) => Self::default().reads([&extends.name]),
            Stmt::Include(include) => Self::default().reads([&include.name]),
            Stmt::Do(done) => Self::default().calls(&done.call),
            Stmt::Set(set) => Self::default().sets([&set.target]).reads([&set.expr]),
            Stmt::Import(import) => Self::default().sets([&import.name]).reads([&import.expr]),
            Stmt::AutoEscape(escape) => Self::default().reads([&escape.enabled]).blocks([&escape.body]),
            Stmt::FilterBlock(filter) => Self::default().reads([&filter.filter]).blocks([&filter.body]),
            Stmt::SetBlock(set) => Self::default().sets([&set.target]).reads(&set.filter).blocks([&set.body]),
            Stmt::IfCond(condition) => {
                Self::default().reads([&condition.expr]).blocks([&condition.true_body, &condition.false_body])
            }
            Stmt::ForLoop(each) => {
                let whole = Self::default().sets([&each.target]).reads([&each.iter]).reads(&each.filter_expr);
                whole.blocks([&each.body, &each.else_body])
            }
            Stmt::WithBlock(with) => {
                let targets = with.assignments.iter().map(|(target, _)| target);
                let values = with.assignments.iter().map(|(_, value)| value);
                Self::default().sets(targets).reads(values).blocks([&with.body])
            }
            Stmt::FromImport(import) => {
                let names = import.names.iter().map(|(name, alias)| alias.as_ref().unwrap_or(name));
                Self::default().sets(names).reads([&import.expr])
            }
            Stmt::Macro(defined) => Self::default().defines(defined),
            Stmt::CallBlock(block) => Self::default().calls(&block.call).defines(&block.macro_decl),
        }
    }

    fn sets(mut self, targets: impl IntoIterator<Item = &'t Expr<'s>>) -> Self {
        self.sets.extend(targets);
        self
    }

    fn reads(mut self, values: impl IntoIterator<Item = &'t Expr<'s>>) -> Self {
        self.reads.extend(values);
        self
    }

    fn calls(mut self, call: &'t Spanned<Call<'s>>) -> Self {
        self.calls.push(call);
        self
    }

    fn blocks<const N: usize>(mut self, blocks: [&'t Vec<Stmt<'s>>; N]) -> Self {
        self.blocks.extend(blocks.map(Vec::as_slice));
        self
    }

    fn defines(self, defined: &'t Macro<'s>) -> Self {
        self.sets(&defined.args).reads(&defined.defaults).blocks([&defined.body])
    }
}

/// Names that a statement brings with it.
fn names_of<'s>(statement: &Stmt<'s>) -> Vec<&'s str> {
    if let Stmt::ForLoop(_) = statement {
        vec!["loop"]
    } else if let Stmt::Macro(defined) = statement {
        vec![defined.name, "caller", "varargs", "kwargs"]
    } else {
        Vec::new()
    }
}

/// What an expression is made of.
fn operands<'t, 's>(expression: &'t Expr<'s>) -> Vec<&'t Expr<'s>> {
    match expression {
        Expr::Var(_) | Expr::Const(_) => Vec::new(),
        Expr::GetAttr(get) => vec![&get.expr],
        Expr::GetItem(get) => vec![&get.expr, &get.subscript_expr],
        Expr::Slice(slice) => {
            let ends = [&slice.start, &slice.stop, &slice.step].into_iter().flatten();
            std::iter::once(&slice.expr).chain(ends).collect()
        }
        Expr::UnaryOp(operation) => vec![&operation.expr],
        Expr::BinOp(operation) => vec![&operation.left, &operation.right],
        Expr::Compare(compare) => {
            std::iter::once(&compare.expr).chain(compare.ops.iter().map(|operation| &operation.expr)).collect()
        }
        Expr::IfExpr(choice) => [&choice.test_expr, &choice.true_expr].into_iter().chain(&choice.false_expr).collect(),
        Expr::Filter(filter) => filter.expr.iter().chain(arguments(&filter.args)).collect(),
        Expr::Test(test) => std::iter::once(&test.expr).chain(arguments(&test.args)).collect(),
        Expr::Call(call) => std::iter::once(&call.expr).chain(arguments(&call.args)).collect(),
        Expr::List(list) => list.items.iter().collect(),
        Expr::Tuple(tuple) => tuple.items.iter().collect(),
        Expr::Map(map) => map.keys.iter().chain(&map.values).collect(),
    }
}

fn arguments<'t, 's>(arguments: &'t [CallArg<'s>]) -> impl Iterator<Item = &'t Expr<'s>> {
    arguments.iter().map(|argument| match argument {
        CallArg::Pos(value) | CallArg::Kwarg(_, value) | CallArg::PosSplat(value) | CallArg::KwargSplat(value) => value,
    })
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
    let mut path = Vec::new();
    let mut inner = expression;
    loop {
        inner = if let Expr::Var(variable) = inner {
            path.reverse();
            return Some((variable.id.to_owned(), path));
        } else if let Expr::GetAttr(get) = inner {
            path.push(get.name.to_owned());
            &get.expr
        } else if let Expr::GetItem(get) = inner {
            path.push(get.subscript_expr.as_const()?.as_str()?.to_owned());
            &get.expr
        } else {
            return None;
        };
    }
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
