//! Models of lists and dictionaries with known elements, and of the methods that change them.

use std::rc::Rc;

use crate::python::taint::call::Call;
use crate::python::taint::value::{AbstractValue, Value};

/// Maximum tracked elements or keys.
const MAX_TRACKED_ELEMENTS: usize = 64;

/// Effect of a method: the changed object and the result.
pub(crate) struct Change {
    pub(crate) object: Option<Value>,
    pub(crate) result: Option<Value>,
}

/// Returns the effect of a method that changes or reads a container; `None` for other methods.
pub(crate) fn change(call: &Call<'_>, receiver: &Value) -> Option<Change> {
    let first = call.positional.first();
    let settled = |object: Value| Some(Change { object: Some(object), result: Some(Value::clean()) });
    match (call.name, call.positional.len()) {
        ("append" | "add" | "appendleft" | "put" | "push", 1) => settled(with_item(receiver, first?.clone(), None)),
        ("insert", 2) => settled(with_item(receiver, call.positional[1].clone(), first?.as_int())),
        ("extend" | "update" | "write", 1) => settled(absorb(receiver, first?)),
        ("clear", 0) => settled(Value { symbol: receiver.symbol.clone(), ..Value::sequence(Vec::new()) }),
        ("pop", 0 | 1) => pop(receiver, first),
        ("set", 3) => set_option(receiver, call),
        ("get", 1 | 2) => lookup(receiver, call),
        ("group", 0 | 1) => {
            let number = Value::of(AbstractValue::Int(0));
            let group = super::fold::index(receiver, first.unwrap_or(&number))?;
            Some(Change { object: None, result: Some(group) })
        }
        _ => None,
    }
}

/// Returns the container after `container[key] = value`.
pub(crate) fn with_element(container: &Value, key: &Value, value: Value) -> Value {
    match (&container.content, &key.content) {
        (AbstractValue::Dict(entries), AbstractValue::Text(key)) if entries.len() < MAX_TRACKED_ELEMENTS => {
            let mut entries: Vec<_> = entries.iter().filter(|(known, _)| known != key).cloned().collect();
            entries.push((Rc::clone(key), value));
            Value { symbol: container.symbol.clone(), ..Value::dict(entries) }
        }
        (AbstractValue::Sequence(items), AbstractValue::Int(at))
            if usize::try_from(*at).is_ok_and(|at| at < items.len()) =>
        {
            let mut items = items.to_vec();
            if let Some(item) = usize::try_from(*at).ok().and_then(|at| items.get_mut(at)) {
                *item = value;
            }
            Value::sequence(items)
        }
        _ => absorb(container, &value),
    }
}

fn with_item(container: &Value, item: Value, at: Option<i64>) -> Value {
    let AbstractValue::Sequence(items) = &container.content else { return absorb(container, &item) };
    if items.len() >= MAX_TRACKED_ELEMENTS {
        return absorb(container, &item);
    }
    let mut items = items.to_vec();
    match at.map(usize::try_from) {
        Some(Ok(at)) if at <= items.len() => items.insert(at, item),
        None => items.push(item),
        Some(_) => return absorb(container, &item),
    }
    Value::sequence(items)
}

fn absorb(container: &Value, added: &Value) -> Value {
    if let (AbstractValue::Dict(known), AbstractValue::Dict(added)) = (&container.content, &added.content) {
        let kept = known.iter().filter(|(key, _)| !added.iter().any(|(other, _)| other == key));
        return Value::dict(kept.chain(added.iter()).cloned().collect());
    }
    if let (AbstractValue::Sequence(known), AbstractValue::Sequence(added)) = (&container.content, &added.content) {
        return Value::sequence(known.iter().chain(added.iter()).cloned().collect());
    }
    let is_structure =
        matches!(container.content, AbstractValue::Dict(_) | AbstractValue::Sequence(_) | AbstractValue::Container);
    let content = if is_structure { AbstractValue::Container } else { AbstractValue::Opaque };
    Value { symbol: container.symbol.clone(), content, ..Value::combined([container, added].into_iter()) }
}

fn pop(receiver: &Value, at: Option<&Value>) -> Option<Change> {
    let AbstractValue::Sequence(items) = &receiver.content else { return None };
    let at = match at.map(Value::as_int) {
        None => items.len().checked_sub(1)?,
        Some(at) => usize::try_from(at?).ok().filter(|at| *at < items.len())?,
    };
    let mut items = items.to_vec();
    let taken = items.remove(at);
    Some(Change { object: Some(Value::sequence(items)), result: Some(taken) })
}

fn is_configuration(receiver: &Value) -> bool {
    receiver.symbol().ends_with("ConfigParser()")
}

/// Models `ConfigParser.set(section, option, value)`.
fn set_option(receiver: &Value, call: &Call<'_>) -> Option<Change> {
    let [section, option, value] = &*call.positional else { return None };
    if !is_configuration(receiver) {
        return None;
    }
    let key = Value::text(&format!("{}\0{}", section.as_text()?, option.as_text()?));
    let table = if let AbstractValue::Dict(_) = receiver.content {
        receiver.clone()
    } else {
        Value { symbol: receiver.symbol.clone(), ..Value::dict(Vec::new()) }
    };
    Some(Change { object: Some(with_element(&table, &key, value.clone())), result: Some(Value::clean()) })
}

/// Models `dict.get(key, default)` and `ConfigParser.get(section, option)`.
fn lookup(receiver: &Value, call: &Call<'_>) -> Option<Change> {
    let AbstractValue::Dict(entries) = &receiver.content else { return None };
    let first = call.positional.first()?.as_text();
    let second = call.positional.get(1);
    let result = if is_configuration(receiver) {
        let key = format!("{}\0{}", first?, second?.as_text()?);
        entries.iter().find(|(name, _)| **name == *key)?.1.clone()
    } else {
        let known = match first {
            Some(key) => entries.iter().find(|(name, _)| &**name == key).map(|(_, value)| value.clone()),
            // For an unknown key the result is any of the values, or the default.
            None => Some(Value::combined(entries.iter().map(|(_, value)| value))),
        };
        match (known, second) {
            (Some(known), Some(default)) if first.is_none() => known.join(default),
            (Some(known), _) => known,
            (None, Some(default)) => default.clone(),
            (None, None) => Value::of(AbstractValue::PyNone),
        }
    };
    Some(Change { object: None, result: Some(result) })
}
