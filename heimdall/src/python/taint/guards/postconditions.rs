//! Ends of functions: calls that never return, and facts about the parameters wherever a function returns.

use std::rc::Rc;

use ruff_python_ast::visitor::{Visitor, walk_expr};
use ruff_python_ast::{Expr, ExprCall, StmtFunctionDef};
use ruff_text_size::Ranged;

use crate::python::checks::performance::last_name;
use crate::python::taint::calls::Call;
use crate::python::taint::guards;
use crate::python::taint::interpreter::Interpreter;
use crate::python::taint::value::{Shape, Uses, Value};

/// Parameters that are watched; a function of more is rarely a check.
const MAX_WATCHED: usize = 8;

/// Functions that end the program, or raise whatever they are given.
const NEVER_RETURN: &[&str] = &[
    "sys.exit",
    "builtins.exit",
    "builtins.quit",
    "os._exit",
    "os.abort",
    "os.execl",
    "os.execle",
    "os.execlp",
    "os.execv",
    "os.execve",
    "os.execvp",
    "os.execvpe",
    "flask.abort",
    "quart.abort",
    "werkzeug.abort",
    "werkzeug.exceptions.abort",
    "bottle.abort",
    "bottle.redirect",
    "sanic.abort",
    "sanic.exceptions.abort",
    "apiflask.abort",
    "flask_restful.abort",
    "flask_restx.abort",
    "flask_smorest.abort",
    "pytest.fail",
    "pytest.skip",
    "pytest.exit",
    "pytest.xfail",
    "typing.assert_never",
    "typing_extensions.assert_never",
    "argparse.ArgumentParser().error",
    "argparse.ArgumentParser().exit",
    "optparse.OptionParser().error",
    "optparse.OptionParser().exit",
];

/// Ways to make an object whose `error` and `exit` end the program.
const ARGUMENT_PARSERS: &[&str] = &["ArgumentParser", "OptionParser", "ArgParser", "argparse", "optparse"];

impl Interpreter<'_, '_, '_> {
    /// Returns whether a call never comes back, as far as its name and the imports say.
    ///
    /// Functions of the module are looked into instead, whatever they are called.
    pub(crate) fn never_returns(&self, call: &Call<'_>, target: &Value) -> bool {
        if !matches!(target.shape, Shape::Opaque) {
            return false;
        }
        if NEVER_RETURN.contains(&call.symbol.as_str()) {
            return true;
        }
        match &*call.expr.func {
            Expr::Name(name) => matches!(name.id.as_str(), "exit" | "quit") && self.is_builtin(&name.id),
            Expr::Attribute(attribute) => {
                let is_own = self.program.functions.iter().any(|function| function.def.name.as_str() == call.name);
                !is_own && self.method_never_returns(call, &attribute.value)
            }
            _ => false,
        }
    }

    fn method_never_returns(&self, call: &Call<'_>, object: &Expr) -> bool {
        let name = last_name(object);
        let Some(receiver) = &call.receiver else { return false };
        if !call.symbol.is_empty() && !call.symbol.ends_with(&format!(".{}", call.name)) {
            // The method was replaced by another function.
            return false;
        }
        if let Shape::Instance(class) = receiver.shape {
            let is_kind = |wanted: &[&str]| self.program.is_kind_of(class, &|base| wanted.contains(&base));
            return match call.name {
                "fail" => is_kind(&["TestCase", "IsolatedAsyncioTestCase", "ParamType"]),
                "skipTest" => is_kind(&["TestCase", "IsolatedAsyncioTestCase"]),
                "error" | "exit" => is_kind(&["ArgumentParser", "OptionParser"]),
                "fail_json" | "exit_json" => is_kind(&["AnsibleModule"]),
                _ => false,
            };
        }
        let top = call.symbol.split(['.', '(']).next().unwrap_or_default();
        match call.name {
            "abort" => top.starts_with("flask"),
            "error" | "exit" if name == "ctx" => call.name == "exit" && self.imports_any(&["click", "typer"]),
            "error" | "exit" => self.is_argument_parser(name, receiver),
            "fail" => name == "ctx" && self.imports_any(&["click", "typer"]),
            "fail_json" | "exit_json" => self.imports_any(&["ansible", "ansible_collections"]),
            _ => false,
        }
    }

    /// `parser`, unless it was made by something that parses no arguments.
    fn is_argument_parser(&self, name: &str, receiver: &Value) -> bool {
        let symbol = receiver.symbol();
        if symbol.contains('(') {
            return ARGUMENT_PARSERS.iter().any(|parser| symbol.contains(parser));
        }
        let imports = || self.imports_any(&["argparse", "optparse", "configargparse"]);
        name == "parser" || name.ends_with("_parser") && imports()
    }

    fn imports_any(&self, modules: &[&str]) -> bool {
        modules.iter().any(|module| self.modules.contains(*module))
    }

    /// Returns whether a name was not bound by the module.
    fn is_builtin(&self, name: &str) -> bool {
        self.scopes.iter().all(|scope| scope.names.get(name).is_none())
    }
}

/// `while True`: a test that is met whatever happens.
pub(crate) fn is_always(test: &Expr) -> bool {
    match test {
        Expr::BooleanLiteral(flag) => flag.value,
        Expr::NumberLiteral(number) => {
            matches!(&number.value, ruff_python_ast::Number::Int(int) if int.as_i64().is_some_and(|int| int != 0))
        }
        _ => false,
    }
}

/// The places where a function that is looked into returns.
pub(crate) struct Exits {
    watched: Vec<Watched>,
}

/// One parameter: what it was dangerous for when the function was called, and at the ends of it.
struct Watched {
    name: Rc<str>,
    before: Uses,
    always: Option<Uses>,
    truthy: Option<Uses>,
    falsy: Option<Uses>,
}

/// Selects the returns that are asked about.
type Kind = fn(&mut Watched) -> &mut Option<Uses>;

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

    fn record(&mut self, interpreter: &mut Interpreter<'_, '_, '_>, kind: Kind) {
        for watched in &mut self.watched {
            let left = interpreter.names().get(&watched.name).map_or(watched.before, |now| now.tainted | now.unknown);
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

impl Interpreter<'_, '_, '_> {
    /// Notes what is known of the parameters where the function at work returns.
    pub(crate) fn record_exit(&mut self, returned: Option<&Expr>, truth: Option<bool>) {
        if self.scope().is_stopped {
            return;
        }
        let Some(mut exits) = self.scope().exits.take() else { return };
        exits.record(self, |watched| &mut watched.always);
        let kinds: [(bool, Kind); 2] = [(true, Watched::truthy), (false, Watched::falsy)];
        for (met, kind) in kinds {
            if truth == Some(!met) {
                continue;
            }
            self.names().fork();
            if let Some(returned) = returned {
                guards::refine(self, returned, met);
            }
            exits.record(self, kind);
            self.names().take_back();
        }
        self.scope().exits = Some(exits);
    }

    /// Makes use of what a function of the module proves of its arguments.
    pub(crate) fn keep_proofs(&mut self, call: &Call<'_>, proofs: Option<Proofs>) {
        let key = call.expr.end().to_u32();
        let Some(proofs) = proofs else {
            self.proofs.remove(&key);
            return;
        };
        for (argument, uses) in proofs.of_arguments(call.expr, None) {
            guards::clear(self, argument, uses);
        }
        self.proofs.insert(key, proofs);
    }
}

impl Watched {
    fn truthy(&mut self) -> &mut Option<Uses> {
        &mut self.truthy
    }

    fn falsy(&mut self) -> &mut Option<Uses> {
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
