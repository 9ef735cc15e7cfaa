//! Postconditions: facts about the parameters that hold when a function returns.

use std::rc::Rc;

use ruff_python_ast::visitor::{Visitor, walk_expr};
use ruff_python_ast::{Expr, ExprCall, StmtFunctionDef};

use crate::python::taint::environment::Environment;
use crate::python::taint::value::{TaintKinds, Value};

/// Maximum tracked parameters. Functions with more are rarely checks.
const MAX_TRACKED_PARAMETERS: usize = 8;

/// The state of the parameters at the returns of a called function.
pub(crate) struct ReturnTracker {
    tracked: Vec<TrackedParameter>,
}

/// Taint of a parameter at the call, and at returns of any, a truthy and a falsy value.
pub(crate) struct TrackedParameter {
    name: Rc<str>,
    before: TaintKinds,
    always: Option<TaintKinds>,
    truthy: Option<TaintKinds>,
    falsy: Option<TaintKinds>,
}

/// Selects the returns that are recorded.
pub(crate) type ReturnKind = fn(&mut TrackedParameter) -> &mut Option<TaintKinds>;

/// Facts that a call proves about its arguments.
pub(crate) struct Postconditions {
    postconditions: Vec<Postcondition>,
}

struct Postcondition {
    parameter: Rc<str>,
    /// Position of the argument in the call.
    position: Option<usize>,
    always: TaintKinds,
    truthy: TaintKinds,
    falsy: TaintKinds,
}

impl ReturnTracker {
    /// Tracks the parameters whose arguments are not constant.
    pub(crate) fn of<'v>(parameters: impl Iterator<Item = (&'v str, &'v Value)>) -> Option<Self> {
        let open = parameters.filter(|(_, value)| !value.is_constant());
        let tracked: Vec<TrackedParameter> = open
            .take(MAX_TRACKED_PARAMETERS)
            .map(|(name, value)| TrackedParameter {
                name: name.into(),
                before: value.tainted | value.unknown,
                always: None,
                truthy: None,
                falsy: None,
            })
            .collect();
        (!tracked.is_empty()).then_some(Self { tracked })
    }

    pub(crate) fn record(&mut self, names: &Environment, kind: ReturnKind) {
        for tracked in &mut self.tracked {
            let left = names.get(&tracked.name).map_or(tracked.before, |now| now.tainted | now.unknown);
            let known = kind(tracked);
            *known = Some(known.map_or(left, |known| known | left));
        }
    }

    /// Returns the proven facts by position; rebound parameters have none.
    pub(crate) fn into_postconditions(self, def: &StmtFunctionDef, bound: usize) -> Option<Postconditions> {
        let mut postconditions = Vec::new();
        for tracked in self.tracked {
            let of = |left: Option<TaintKinds>| left.map_or(TaintKinds::NONE, |left| tracked.before.minus(left));
            let (always, truthy, falsy) = (of(tracked.always), of(tracked.truthy), of(tracked.falsy));
            if (always | truthy | falsy).is_empty() || is_rebound(def, &tracked.name) {
                continue;
            }
            let mut names = def.parameters.posonlyargs.iter().chain(&def.parameters.args);
            let position = names.position(|parameter| parameter.name().as_str() == &*tracked.name);
            let position = position.and_then(|position| position.checked_sub(bound));
            postconditions.push(Postcondition { parameter: tracked.name, position, always, truthy, falsy });
        }
        (!postconditions.is_empty()).then_some(Postconditions { postconditions })
    }
}

impl Postconditions {
    /// Returns the arguments of a call with the taint kinds that the call removes.
    pub(crate) fn for_arguments<'e>(&self, call: &'e ExprCall, returned: Option<bool>) -> Vec<(&'e Expr, TaintKinds)> {
        let has_star = call.arguments.args.iter().any(Expr::is_starred_expr);
        let argument = |postcondition: &Postcondition| {
            let named = call.arguments.keywords.iter();
            let named = named
                .filter(|keyword| keyword.arg.as_ref().is_some_and(|arg| arg.as_str() == &*postcondition.parameter));
            let by_position = postcondition.position.filter(|_| !has_star).and_then(|at| call.arguments.args.get(at));
            named.map(|keyword| &keyword.value).next().or(by_position)
        };
        let proved = |postcondition: &Postcondition| match returned {
            None => postcondition.always,
            Some(true) => postcondition.truthy,
            Some(false) => postcondition.falsy,
        };
        self.postconditions
            .iter()
            .filter_map(|postcondition| Some((argument(postcondition)?, proved(postcondition))))
            .collect()
    }
}

impl TrackedParameter {
    pub(crate) fn always(&mut self) -> &mut Option<TaintKinds> {
        &mut self.always
    }

    pub(crate) fn truthy(&mut self) -> &mut Option<TaintKinds> {
        &mut self.truthy
    }

    pub(crate) fn falsy(&mut self) -> &mut Option<TaintKinds> {
        &mut self.falsy
    }
}

/// Returns true if the function rebinds a parameter.
fn is_rebound(def: &StmtFunctionDef, name: &str) -> bool {
    struct Finder<'n> {
        name: &'n str,
        found: bool,
    }
    impl<'a> Visitor<'a> for Finder<'_> {
        fn visit_expr(&mut self, expr: &'a Expr) {
            if let Expr::Name(name) = expr {
                self.found |= !name.ctx.is_load() && name.id.as_str() == self.name;
            }
            walk_expr(self, expr);
        }
    }
    let mut finder = Finder { name, found: false };
    finder.visit_body(&def.body);
    finder.found
}
