//! Queries that are put together from values: the values become parameters.

use ruff_python_ast::{Expr, ExprCall};
use ruff_text_size::{Ranged, TextRange};

use super::literal::{Piece, pieces, quoted};
use super::{Edit, Fix, Module};

/// Drivers, and how each marks a parameter.
const MARKS: &[(&str, &str)] =
    &[("sqlite3", "?"), ("psycopg2", "%s"), ("psycopg", "%s"), ("pymysql", "%s"), ("MySQLdb", "%s"), ("mysql", "%s")];

/// Words of a query behind which a value may be a parameter.
const BEFORE_VALUES: &[&str] = &["LIKE", "LIMIT", "OFFSET", "BETWEEN", "AND", "OR", "SET", "WHERE", "THEN", "ELSE"];

/// `cursor.execute("... " + name)` becomes `cursor.execute("... ?", (name,))`.
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

/// The mark of the one driver that the module imports.
fn mark_of(module: &Module<'_>) -> Option<&'static str> {
    let mut marks = MARKS.iter().filter(|(name, _)| module.imports(name)).map(|(_, mark)| *mark);
    let mark = marks.next()?;
    marks.all(|other| other == mark).then_some(mark)
}

/// What a name is set to, where its function sets it once and before its use.
fn assigned<'a>(module: &Module<'a>, name: &Expr) -> Option<&'a Expr> {
    let (wanted, function) = (name.as_name_expr()?.id.as_str(), module.function_around(name.range()));
    let mut values = module.statements.iter().filter(|(_, of)| *of == function).filter_map(|(statement, _)| {
        let target_is = |target: &Expr| target.as_name_expr().is_some_and(|target| target.id.as_str() == wanted);
        if let Some(assign) = statement.as_assign_stmt() {
            return assign.targets.iter().any(target_is).then_some(Some(&*assign.value));
        }
        // Whatever else sets it makes it more than one text.
        let grown = statement.as_aug_assign_stmt().is_some_and(|assign| target_is(&assign.target));
        grown.then_some(None)
    });
    let value = values.next()??;
    (values.next().is_none() && value.range().end() < name.range().start()).then_some(value)
}

/// The query with marks, and the values; `None` where a value is not in the place of one.
fn parameterized(pieces: &[Piece], mark: &str) -> Option<(String, Vec<TextRange>)> {
    let (mut query, mut values, mut in_quotes) = (String::new(), Vec::new(), false);
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Fixed(text) => {
                let text = if in_quotes { text.strip_prefix('\'')? } else { text };
                in_quotes = false;
                query.push_str(&if mark == "%s" { text.replace('%', "%%") } else { text.to_owned() });
            }
            Piece::Value(range) => {
                if in_quotes {
                    return None;
                }
                let next = pieces.get(index + 1);
                if query.ends_with('\'') {
                    query.pop();
                    in_quotes = true;
                }
                let follows = match next {
                    Some(Piece::Fixed(text)) => text.chars().next(),
                    Some(Piece::Value(_)) => return None,
                    None => None,
                };
                if !takes_value(&query)
                    || !in_quotes && follows.is_some_and(|c| !c.is_whitespace() && !",);".contains(c))
                {
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

/// Returns whether a value, and no name of a table or a column, goes behind the beginning of a query.
fn takes_value(query: &str) -> bool {
    let before = query.trim_end();
    let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_ascii_uppercase();
    before.ends_with(['=', '<', '>', '(', ',']) && !query.to_ascii_uppercase().contains(" IN (SELECT")
        || BEFORE_VALUES.contains(&word.as_str())
}
