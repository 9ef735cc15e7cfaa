//! Fixes for SQL injection: values in a query become parameters.

use ruff_python_ast::{Expr, ExprCall};
use ruff_text_size::{Ranged, TextRange};

use super::literal::{StringPiece, pieces, quoted};
use super::{Edit, Fix, Module};

/// Database drivers and their parameter markers.
const MARKS: &[(&str, &str)] =
    &[("sqlite3", "?"), ("psycopg2", "%s"), ("psycopg", "%s"), ("pymysql", "%s"), ("MySQLdb", "%s"), ("mysql", "%s")];

/// Statements that accept parameters.
const STATEMENTS: &[&str] = &["SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH"];

/// SQL words that are followed by a value.
const BEFORE_VALUES: &[&str] = &["LIKE", "LIMIT", "OFFSET"];

/// SQL words after which a quoted text is a value; unquoted text may be a column or a condition.
const BEFORE_TEXTS: &[&str] = &["BETWEEN", "AND", "OR"];

/// Rewrites `cursor.execute("... " + name)` to `cursor.execute("... ?", (name,))`.
pub(super) fn fix(module: &Module<'_>, call: &ExprCall) -> Option<Fix> {
    let method = call.func.as_attribute_expr()?;
    let [argument] = &*call.arguments.args else { return None };
    if method.attr.as_str() != "execute" || !call.arguments.keywords.is_empty() {
        return None;
    }
    let mark = mark_of(module)?;
    let built = if argument.is_name_expr() { assigned(module, argument)? } else { argument };
    let (query, values) = parameterized(&pieces(built)?, mark)?;
    let names: Vec<&str> = values.iter().map(|value| module.text(*value)).collect();
    let tuple = if let [only] = names.as_slice() { format!("({only},)") } else { format!("({})", names.join(", ")) };
    let mut edits = vec![Edit { range: built.range(), text: quoted(&query) }];
    if argument.is_name_expr() {
        edits.push(Edit { range: argument.range(), text: format!("{}, {tuple}", module.text(argument.range())) });
    } else {
        edits[0].text.push_str(&format!(", {tuple}"));
    }
    Some((edits, Vec::new()))
}

/// Returns the parameter marker of the imported driver, if it is unambiguous.
fn mark_of(module: &Module<'_>) -> Option<&'static str> {
    let mut marks = MARKS.iter().filter(|(name, _)| module.imports(name)).map(|(_, mark)| *mark);
    let mark = marks.next()?;
    marks.all(|other| other == mark).then_some(mark)
}

/// Returns the value of a name, if its function assigns it once and before its use.
fn assigned<'a>(module: &Module<'a>, name: &Expr) -> Option<&'a Expr> {
    let (wanted, function) = (name.as_name_expr()?.id.as_str(), module.function_around(name.range()));
    let mut values = module.statements.iter().filter(|(_, of)| *of == function).filter_map(|(statement, _)| {
        let target_is = |target: &Expr| target.as_name_expr().is_some_and(|target| target.id.as_str() == wanted);
        if let Some(assign) = statement.as_assign_stmt() {
            return assign.targets.iter().any(target_is).then_some(Some(&*assign.value));
        }
        // An augmented assignment changes the text.
        let grown = statement.as_aug_assign_stmt().is_some_and(|assign| target_is(&assign.target));
        grown.then_some(None)
    });
    let value = values.next()??;
    (values.next().is_none() && value.range().end() < name.range().start()).then_some(value)
}

/// Returns the query with markers, and the values; `None` if a value is not in a value's position.
fn parameterized(pieces: &[StringPiece], mark: &str) -> Option<(String, Vec<TextRange>)> {
    let (mut query, mut values, mut in_quotes) = (String::new(), Vec::new(), false);
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            StringPiece::Fixed(text) => {
                let text = if in_quotes { text.strip_prefix('\'')? } else { text };
                in_quotes = false;
                query.push_str(&if mark == "%s" { text.replace('%', "%%") } else { text.to_owned() });
            }
            StringPiece::Value(range) => {
                if in_quotes {
                    return None;
                }
                let next = pieces.get(index + 1);
                if query.ends_with('\'') {
                    query.pop();
                    in_quotes = true;
                }
                if matches!(next, Some(StringPiece::Value(_))) {
                    return None;
                }
                let is_place = if in_quotes { takes_text(&query) } else { takes_value(&query) && ends_value(next) };
                if !is_place {
                    return None;
                }
                query.push_str(mark);
                values.push(*range);
            }
        }
    }
    let marks = query.matches('?').count();
    let is_whole = !in_quotes && query.matches('\'').count() % 2 == 0 && (mark != "?" || marks == values.len());
    is_whole.then_some((query, values))
}

/// Returns true if a value may follow the query so far, and not a column, condition, list or table.
fn takes_value(query: &str) -> bool {
    let query = query.trim_end().to_ascii_uppercase();
    binds(&query)
        && (query.ends_with(['=', '<', '>'])
            || BEFORE_VALUES.contains(&last_word(&query))
            || is_in_list(&query, "VALUES"))
}

/// Returns true if a quoted text that follows the query so far is a value and not a quoted name.
fn takes_text(query: &str) -> bool {
    let upper = query.trim_end().to_ascii_uppercase();
    takes_value(query) || binds(&upper) && (BEFORE_TEXTS.contains(&last_word(&upper)) || is_in_list(&upper, "IN"))
}

/// Returns true if a value ends where the next piece starts.
fn ends_value(next: Option<&StringPiece>) -> bool {
    let Some(StringPiece::Fixed(text)) = next else { return true };
    let is_apart = text.chars().next().is_none_or(|c| c.is_whitespace() || ",);".contains(c));
    is_apart && !text.trim_start().starts_with(['(', '.'])
}

/// Returns true if the statement accepts parameters; `PRAGMA` and `CREATE` do not.
fn binds(query: &str) -> bool {
    query.split_whitespace().next().is_some_and(|first| STATEMENTS.contains(&first))
}

fn last_word(query: &str) -> &str {
    query.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

/// Returns true if the query so far ends inside of a list of plain values after a word: `VALUES (?, 1,`.
fn is_in_list(query: &str, word: &str) -> bool {
    let Some((before, list)) = query.rsplit_once('(') else { return false };
    let is_plain = |value: &str| {
        let value = value.trim();
        value == "?" || value == "%S" || value.chars().all(|c| c.is_ascii_digit() || c == '.') || is_quoted(value)
    };
    let mut values: Vec<&str> = list.split(',').collect();
    let open = values.pop().unwrap_or_default();
    open.trim().is_empty() && values.iter().all(|value| is_plain(value)) && last_word(before.trim_end()) == word
}

fn is_quoted(value: &str) -> bool {
    value.len() > 1 && value.starts_with('\'') && value.ends_with('\'') && value.matches('\'').count() == 2
}
