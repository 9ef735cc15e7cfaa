//! Fixes for arguments and settings that disable a protection, and for functions with a safe counterpart.

use ruff_python_ast::{Expr, ExprCall, Keyword, Stmt};
use ruff_text_size::{Ranged, TextRange};

use super::{Edit, Fix, Module, dotted};

/// Replaces a call by its safe counterpart, or corrects its arguments.
pub(super) fn fix_call(module: &Module<'_>, rule: &str, call: &ExprCall) -> Option<Fix> {
    let name = dotted(&call.func);
    let last = name.rsplit('.').next().unwrap_or_default();
    match rule {
        "PY-YAML-LOAD" => safe_yaml(module, call, &name),
        "PY-WEAK-HASH" => stronger_hash(call, &name),
        "PY-WEAK-RANDOM" => name.strip_prefix("random.").filter(|function| !function.contains('.')).map(|function| {
            let text = format!("secrets.SystemRandom().{function}");
            (vec![replace(call.func.range(), &text)], vec!["secrets"])
        }),
        "PY-INSECURE-TLS" => verified_tls(module, call, &name),
        "PY-DEBUG-ENABLED" => set_keywords(call, &["debug"], "False"),
        "PY-COOKIE-INSECURE" => set_keywords(call, &["secure", "httponly"], "True"),
        "PY-AUTOESCAPE-OFF" => {
            set_keywords(call, &["autoescape"], "True").or_else(|| append_argument(module, call, "autoescape=True"))
        }
        "PY-ARCHIVE-EXTRACT" if matches!(last, "extractall" | "extract") || name.is_empty() => {
            append_argument(module, call, "filter=\"data\"")
        }
        "PY-LOOSE-PERMISSIONS" => tighter_mode(call),
        _ => None,
    }
}

/// Corrects assignments such as `context.check_hostname = False` and `app.debug = True`.
pub(super) fn fix_statement(rule: &str, statement: &Stmt) -> Option<Fix> {
    let assign = statement.as_assign_stmt()?;
    let [Expr::Attribute(target)] = assign.targets.as_slice() else { return None };
    let text = match (rule, target.attr.as_str()) {
        ("PY-INSECURE-TLS", "check_hostname" | "verify") => "True",
        ("PY-INSECURE-TLS", "verify_mode") => "ssl.CERT_REQUIRED",
        ("PY-INSECURE-TLS", "_create_default_https_context") => "ssl.create_default_context",
        ("PY-DEBUG-ENABLED", "debug" | "DEBUG") => "False",
        _ => return None,
    };
    Some((vec![replace(assign.value.range(), text)], Vec::new()))
}

fn replace(range: TextRange, text: &str) -> Edit {
    Edit { range, text: text.to_owned() }
}

fn keyword<'a>(call: &'a ExprCall, name: &str) -> Option<&'a Keyword> {
    call.arguments.keywords.iter().find(|keyword| keyword.arg.as_ref().is_some_and(|it| it.as_str() == name))
}

/// Sets the keywords that the call has to a value.
fn set_keywords(call: &ExprCall, names: &[&str], value: &str) -> Option<Fix> {
    let edits: Vec<Edit> =
        names.iter().filter_map(|name| keyword(call, name)).map(|it| replace(it.value.range(), value)).collect();
    (!edits.is_empty()).then_some((edits, Vec::new()))
}

/// Appends an argument to a call.
fn append_argument(module: &Module<'_>, call: &ExprCall, argument: &str) -> Option<Fix> {
    let inside = module.text(call.arguments.range()).strip_suffix(')')?;
    let kept = inside.trim_end().trim_end_matches(',');
    let text = if kept == "(" { format!("({argument})") } else { format!("{kept}, {argument})") };
    Some((vec![Edit { range: call.arguments.range(), text }], Vec::new()))
}

fn safe_yaml(module: &Module<'_>, call: &ExprCall, name: &str) -> Option<Fix> {
    let safe = match name {
        "yaml.load" | "yaml.full_load" | "yaml.unsafe_load" => "yaml.safe_load",
        "yaml.load_all" | "yaml.full_load_all" | "yaml.unsafe_load_all" => "yaml.safe_load_all",
        _ => return None,
    };
    let stream = call.arguments.args.first()?;
    let text = format!("{safe}({})", module.text(stream.range()));
    Some((vec![Edit { range: call.range(), text }], Vec::new()))
}

fn stronger_hash(call: &ExprCall, name: &str) -> Option<Fix> {
    let edit = match name {
        "hashlib.md5" | "hashlib.sha1" => replace(call.func.range(), "hashlib.sha256"),
        "hashlib.new" => replace(call.arguments.args.first()?.range(), "\"sha256\""),
        "hashlib.pbkdf2_hmac" => replace(call.arguments.args.first()?.range(), "\"sha256\""),
        _ => return None,
    };
    Some((vec![edit], Vec::new()))
}

fn verified_tls(module: &Module<'_>, call: &ExprCall, name: &str) -> Option<Fix> {
    if name == "ssl._create_unverified_context" {
        return Some((vec![replace(call.func.range(), "ssl.create_default_context")], Vec::new()));
    }
    if let Some(mode) = keyword(call, "cert_reqs") {
        return Some((vec![replace(mode.value.range(), "ssl.CERT_REQUIRED")], vec!["ssl"]));
    }
    let off = ["verify", "verify_ssl", "ssl"].iter().find_map(|name| keyword(call, name))?;
    let args = call.arguments.args.iter().map(Ranged::range);
    let others = call.arguments.keywords.iter().map(Ranged::range).filter(|range| *range != off.range());
    let kept: Vec<&str> = args.chain(others).map(|range| module.text(range)).collect();
    Some((vec![Edit { range: call.arguments.range(), text: format!("({})", kept.join(", ")) }], Vec::new()))
}

/// Reduces a file mode to the owner's permissions.
fn tighter_mode(call: &ExprCall) -> Option<Fix> {
    let given = call.arguments.args.last().or_else(|| keyword(call, "mode").map(|mode| &mode.value))?;
    let number = given.as_number_literal_expr()?.value.as_int()?.as_u16()?;
    Some((vec![replace(given.range(), &format!("0o{:o}", number & 0o700))], Vec::new()))
}
