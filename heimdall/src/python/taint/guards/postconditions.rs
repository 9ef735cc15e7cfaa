//! Ends of functions: calls that never return, and facts about the parameters wherever a function returns.

use std::rc::Rc;

use ruff_python_ast::visitor::{Visitor, walk_expr};
use ruff_python_ast::{Expr, ExprCall, StmtFunctionDef};

use crate::python::taint::environment::Environment;
use crate::python::taint::value::{Uses, Value};

/// Parameters that are watched; a function of more is rarely a check.
const MAX_WATCHED: usize = 8;

/// The places where a function that is looked into returns.
pub(crate) struct Exits {
    watched: Vec<Watched>,
}

/// One parameter: what it was dangerous for when the function was called, and at the ends of it.
pub(crate) struct Watched {
    name: Rc<str>,
    before: Uses,
    always: Option<Uses>,
    truthy: Option<Uses>,
    falsy: Option<Uses>,
}

/// Selects the returns that are asked about.
pub(crate) type Kind = fn(&mut Watched) -> &mut Option<Uses>;

/// Facts that a call proved of some of its arguments.
pub(crate) struct Proofs {
    proofs: Vec<Proof>,
}

struct Proof {
    parameter: Rc<str>,
    /// The position among the arguments of the call.
    position: Option<usize>,
    always: Uses,
    truthy: Uses,
    falsy: Uses,
}

impl Exits {
    /// Watches those parameters that come with something to prove.
    pub(crate) fn of<'v>(parameters: impl Iterator<Item = (&'v str, &'v Value)>) -> Option<Self> {
        let open = parameters.filter(|(_, value)| !value.is_constant());
        let watched: Vec<Watched> = open
            .take(MAX_WATCHED)
            .map(|(name, value)| Watched {
                name: name.into(),
                before: value.tainted | value.unknown,
                always: None,
                truthy: None,
                falsy: None,
            })
            .collect();
        (!watched.is_empty()).then_some(Self { watched })
    }

    pub(crate) fn record(&mut self, names: &Environment, kind: Kind) {
        for watched in &mut self.watched {
            let left = names.get(&watched.name).map_or(watched.before, |now| now.tainted | now.unknown);
            let known = kind(watched);
            *known = Some(known.map_or(left, |known| known | left));
        }
    }

    /// Returns the facts about the arguments, by the parameters' positions; none of a parameter that is bound anew.
    pub(crate) fn proofs(self, def: &StmtFunctionDef, bound: usize) -> Option<Proofs> {
        let mut proofs = Vec::new();
        for watched in self.watched {
            let of = |left: Option<Uses>| left.map_or(Uses::NONE, |left| watched.before.minus(left));
            let (always, truthy, falsy) = (of(watched.always), of(watched.truthy), of(watched.falsy));
            if (always | truthy | falsy).is_empty() || is_rebound(def, &watched.name) {
                continue;
            }
            let mut names = def.parameters.posonlyargs.iter().chain(&def.parameters.args);
            let position = names.position(|parameter| parameter.name().as_str() == &*watched.name);
            let position = position.and_then(|position| position.checked_sub(bound));
            proofs.push(Proof { parameter: watched.name, position, always, truthy, falsy });
        }
        (!proofs.is_empty()).then_some(Proofs { proofs })
    }
}

impl Proofs {
    /// The arguments of a call, and for which uses each is harmless once the call has returned.
    pub(crate) fn of_arguments<'e>(&self, call: &'e ExprCall, returned: Option<bool>) -> Vec<(&'e Expr, Uses)> {
        let has_star = call.arguments.args.iter().any(Expr::is_starred_expr);
        let argument = |proof: &Proof| {
            let named = call.arguments.keywords.iter();
            let named =
                named.filter(|keyword| keyword.arg.as_ref().is_some_and(|arg| arg.as_str() == &*proof.parameter));
            let by_position = proof.position.filter(|_| !has_star).and_then(|at| call.arguments.args.get(at));
            named.map(|keyword| &keyword.value).next().or(by_position)
        };
        let proved = |proof: &Proof| match returned {
            None => proof.always,
            Some(true) => proof.truthy,
            Some(false) => proof.falsy,
        };
        self.proofs.iter().filter_map(|proof| Some((argument(proof)?, proved(proof)))).collect()
    }
}

impl Watched {
    pub(crate) fn always(&mut self) -> &mut Option<Uses> {
        &mut self.always
    }

    pub(crate) fn truthy(&mut self) -> &mut Option<Uses> {
        &mut self.truthy
    }

    pub(crate) fn falsy(&mut self) -> &mut Option<Uses> {
        &mut self.falsy
    }
}

/// Returns whether a function binds one of its parameters to something else.
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
