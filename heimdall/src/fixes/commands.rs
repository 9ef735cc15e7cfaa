//! Fixes for command injection: a command line becomes an argument list without a shell.

use ruff_python_ast::ExprCall;
use ruff_text_size::Ranged;

use super::literal::{StringPiece, pieces, quoted};
use super::{Edit, Fix, Module, dotted};

const RUNNERS: &[&str] =
    &["subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output", "subprocess.Popen"];

/// Shell metacharacters.
const SPECIAL: &str = "|&;<>()$`\\\"'*?[]{}~#=!\n";

/// Rewrites `subprocess.run(f"ping {host}", shell=True)` to `subprocess.run(["ping", host])`.
pub(super) fn fix(module: &Module<'_>, call: &ExprCall) -> Option<Fix> {
    let name = dotted(&call.func);
    let [command] = &*call.arguments.args else { return None };
    let list = argument_list(module, &pieces(command)?)?;
    if name == "os.system" && call.arguments.keywords.is_empty() && is_statement(module, call) {
        let edit = Edit { range: call.range(), text: format!("subprocess.run({list}, check=False)") };
        return Some((vec![edit], vec!["subprocess"]));
    }
    if !RUNNERS.contains(&name.as_str()) {
        return None;
    }
    let is_shell = |name: &str| name == "shell";
    let kept = call
        .arguments
        .keywords
        .iter()
        .filter(|keyword| !keyword.arg.as_ref().is_some_and(|name| is_shell(name.as_str())));
    let arguments: Vec<&str> = std::iter::once(list.as_str()).chain(kept.map(|it| module.text(it.range()))).collect();
    let edit = Edit { range: call.range(), text: format!("{name}({})", arguments.join(", ")) };
    Some((vec![edit], Vec::new()))
}

/// Returns true if the result of a call is not used.
fn is_statement(module: &Module<'_>, call: &ExprCall) -> bool {
    let is_it = |statement: &ruff_python_ast::Stmt| {
        statement.as_expr_stmt().is_some_and(|expression| expression.value.range() == call.range())
    };
    module.statements.iter().any(|(statement, _)| is_it(statement))
}

/// Returns the source of an argument list; `None` if a shell would do more than split the command.
fn argument_list(module: &Module<'_>, pieces: &[StringPiece]) -> Option<String> {
    let mut words: Vec<Vec<String>> = vec![Vec::new()];
    for piece in pieces {
        match piece {
            StringPiece::Fixed(text) if text.contains(|c| SPECIAL.contains(c)) => return None,
            StringPiece::Fixed(text) => {
                for (number, part) in text.split(' ').enumerate() {
                    if number > 0 {
                        words.push(Vec::new());
                    }
                    if !part.is_empty() {
                        words.last_mut()?.push(quoted(part));
                    }
                }
            }
            StringPiece::Value(range) => words.last_mut()?.push(format!("str({})", module.text(*range))),
        }
    }
    words.retain(|word| !word.is_empty());
    // The program name must be constant.
    let program_is_fixed = words.first()?.iter().all(|part| part.starts_with('"'));
    let words: Vec<String> = words.iter().map(|parts| parts.join(" + ")).collect();
    program_is_fixed.then(|| format!("[{}]", words.join(", ")))
}
