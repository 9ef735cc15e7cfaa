//! Values of names at one program point, with branches that can be rolled back.

use std::collections::HashMap;
use std::rc::Rc;

use super::value::Value;

/// The values of the names of one function or of the module.
///
/// A branch records its changes only, so the cost of forking and joining depends on the changes, not on the number of
/// names.
#[derive(Default)]
pub(crate) struct Environment {
    values: HashMap<Rc<str>, Value>,
    /// For each open branch, the previous values of the names it changed.
    open: Vec<HashMap<Rc<str>, Option<Value>>>,
}

/// The changes of one branch, by name.
pub(crate) type Branch = HashMap<Rc<str>, Option<Value>>;

impl Environment {
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    pub(crate) fn set(&mut self, name: &str, value: Value) {
        let key: Rc<str> = match self.values.get_key_value(name) {
            Some((key, _)) => Rc::clone(key),
            None => name.into(),
        };
        self.put(key, Some(value));
    }

    pub(crate) fn remove(&mut self, name: &str) {
        if let Some((key, _)) = self.values.get_key_value(name) {
            let key = Rc::clone(key);
            self.put(key, None);
        }
    }

    fn put(&mut self, key: Rc<str>, value: Option<Value>) {
        let before = match value {
            Some(value) => self.values.insert(Rc::clone(&key), value),
            None => self.values.remove(&key),
        };
        if let Some(branch) = self.open.last_mut() {
            branch.entry(key).or_insert(before);
        }
    }

    /// Opens a branch.
    pub(crate) fn fork(&mut self) {
        self.open.push(HashMap::new());
    }

    /// Closes the newest branch: restores the previous values and returns its changes.
    pub(crate) fn rollback(&mut self) -> Branch {
        let changed = self.open.pop().unwrap_or_default();
        changed
            .into_iter()
            .map(|(key, before)| {
                let after = match before {
                    Some(value) => self.values.insert(Rc::clone(&key), value),
                    None => self.values.remove(&key),
                };
                (key, after)
            })
            .collect()
    }

    /// Returns the number of open branches.
    pub(crate) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Returns the changes of all branches opened beyond a depth.
    pub(crate) fn changes_since(&self, depth: usize) -> Branch {
        let names = self.open.iter().skip(depth).flat_map(HashMap::keys);
        names.map(|key| (Rc::clone(key), self.values.get(key).cloned())).collect()
    }

    /// Returns the names whose value matches a predicate.
    pub(crate) fn names_where(&self, wanted: impl Fn(&Value) -> bool) -> Vec<Rc<str>> {
        self.values.iter().filter(|(_, value)| wanted(value)).map(|(name, _)| Rc::clone(name)).collect()
    }

    /// Applies the changes of a branch.
    pub(crate) fn apply(&mut self, branch: &Branch) {
        for (key, value) in branch {
            self.put(Rc::clone(key), value.clone());
        }
    }

    /// Joins the changes of a branch that may or may not have been taken.
    pub(crate) fn merge(&mut self, branch: &Branch) {
        for (key, value) in branch {
            let Some(value) = value else { continue };
            let blended = self.values.get(key).map_or_else(|| value.clone(), |known| known.join(value));
            self.put(Rc::clone(key), Some(blended));
        }
    }

    /// Joins branches of which exactly one was taken.
    pub(crate) fn join(&mut self, branches: Vec<Branch>) {
        let total = branches.len();
        let mut joined: HashMap<Rc<str>, (Option<Value>, usize)> = HashMap::new();
        for (key, value) in branches.into_iter().flatten() {
            let (known, count) = joined.entry(key).or_default();
            *known = either(known.take(), value);
            *count += 1;
        }
        for (key, (value, count)) in joined {
            // The other branches keep the current value.
            let value = if count < total { either(value, self.values.get(&key).cloned()) } else { value };
            self.put(key, value);
        }
    }
}

fn either(a: Option<Value>, b: Option<Value>) -> Option<Value> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.join(&b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::Environment;
    use crate::python::taint::value::{AbstractValue, Value};

    #[test]
    fn branches_roll_back_and_join() {
        let mut env = Environment::default();
        env.set("a", Value::text("x"));
        env.fork();
        env.set("a", Value::unknown());
        env.set("b", Value::of(AbstractValue::Int(1)));
        env.fork();
        env.set("a", Value::text("inner"));
        let inner = env.rollback();
        assert_eq!(env.get("a"), Some(&Value::unknown()));
        env.join(vec![inner]);
        assert_eq!(env.get("a"), Some(&Value::text("inner")));
        let branch = env.rollback();
        assert_eq!(env.get("a"), Some(&Value::text("x")));
        assert_eq!(env.get("b"), None);
        env.join(vec![branch, super::Branch::new()]);
        assert_eq!(env.get("a"), Some(&Value::of(AbstractValue::Opaque)));
        assert_eq!(env.get("b"), Some(&Value::of(AbstractValue::Int(1))));
    }
}
