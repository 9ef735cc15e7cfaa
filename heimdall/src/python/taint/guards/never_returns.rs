//! Calls that never return.

use ruff_python_ast::Expr;

use crate::python::ast::last_name;
use crate::python::taint::call::Call;
use crate::python::taint::interpreter::Interpreter;
use crate::python::taint::value::{AbstractValue, Value};

/// Functions that end the program or always raise.
const NEVER_RETURNING: &[&str] = &[
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

/// Constructors of objects whose `error` and `exit` methods end the program.
const ARGUMENT_PARSERS: &[&str] = &["ArgumentParser", "OptionParser", "ArgParser", "argparse", "optparse"];

impl Interpreter<'_, '_, '_> {
    /// Returns true if a call never returns, judged by its name and the imports. Local functions are walked instead.
    pub(crate) fn never_returns(&self, call: &Call<'_>, target: &Value) -> bool {
        if !matches!(target.content, AbstractValue::Opaque) {
            return false;
        }
        if NEVER_RETURNING.contains(&call.symbol.as_str()) {
            return true;
        }
        match &*call.expr.func {
            Expr::Name(name) => matches!(name.id.as_str(), "exit" | "quit") && self.is_builtin(&name.id),
            Expr::Attribute(attribute) => {
                let is_own = self.module.functions.iter().any(|function| function.def.name.as_str() == call.name);
                !is_own && self.method_never_returns(call, &attribute.value)
            }
            _ => false,
        }
    }

    fn method_never_returns(&self, call: &Call<'_>, object: &Expr) -> bool {
        let name = last_name(object);
        let Some(receiver) = &call.receiver else { return false };
        if !call.symbol.is_empty() && !call.symbol.ends_with(&format!(".{}", call.name)) {
            // Another function replaced the method.
            return false;
        }
        if let AbstractValue::Instance(class) = receiver.content {
            let is_kind = |wanted: &[&str]| self.module.is_kind_of(class, &|base| wanted.contains(&base));
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

    /// Recognises `parser`, unless a call that is not an argument parser created it.
    fn is_argument_parser(&self, name: &str, receiver: &Value) -> bool {
        let symbol = receiver.symbol();
        if symbol.contains('(') {
            return ARGUMENT_PARSERS.iter().any(|parser| symbol.contains(parser));
        }
        let imports = || self.imports_any(&["argparse", "optparse", "configargparse"]);
        name == "parser" || name.ends_with("_parser") && imports()
    }

    fn imports_any(&self, modules: &[&str]) -> bool {
        modules.iter().any(|module| self.imported_modules.contains(*module))
    }

    /// Returns true if the module does not bind the name.
    fn is_builtin(&self, name: &str) -> bool {
        self.scopes.iter().all(|scope| scope.names.get(name).is_none())
    }
}
