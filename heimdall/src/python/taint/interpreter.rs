//! Follows values through a module: the state of the walk, and how names are looked up.

use std::collections::{HashMap, HashSet};

use ruff_text_size::TextRange;

use super::environment::{Branch, Environment};
use super::module_index::Program;
use super::value::{Shape, Uses, Value};
use crate::findings::Findings;
use crate::python::taint::guards::named_conditions::Remembered;
use crate::python::taint::guards::postconditions::{Exits, Proofs};
use crate::python::taint::models::sources;
use crate::report::Severity;
use crate::rules::Rule;

/// Statements and expressions looked at in all, inlined ones included. About a second in a release build.
const STEPS: u32 = 6_000_000;
/// Of those, what inlined calls may use.
const INLINED_STEPS: u32 = 2_000_000;

/// How sure a finding is when its data is known to come from outside.
pub(crate) const SURE: f32 = 0.95;
/// How sure it is when the origin is not known.
pub(crate) const DOUBTFUL: f32 = 0.6;

/// The walk through one module.
pub(crate) struct Interpreter<'a, 'f, 's> {
    pub(crate) program: &'f Program<'a>,
    pub(crate) findings: &'f mut Findings<'s>,
    pub(crate) scopes: Vec<Scope>,
    /// Attributes of objects, by class and name, whichever method wrote them.
    pub(crate) attributes: HashMap<(usize, String), Value>,
    /// Calls being looked into, innermost last.
    pub(crate) inlining: Vec<usize>,
    pub(crate) loops: u32,
    /// Lambdas being walked, one in the other.
    pub(crate) lambdas: u32,
    /// Name that the value at hand will get, lower case; tells what random numbers are for.
    pub(crate) purpose: String,
    /// Names that hold a parsed address, and the name of the text it was parsed from.
    pub(crate) addresses: HashMap<String, String>,
    /// The framework in use sends what handlers return as JSON, not as a page.
    pub(crate) answers_json: bool,
    /// The module talks to a directory service.
    pub(crate) uses_ldap: bool,
    /// The name of the class of which the body is walked; empty outside of one.
    pub(crate) class_at_hand: String,
    /// The expression at hand called something that never returns.
    pub(crate) never: bool,
    /// Facts that calls of functions of the module proved of their arguments, by offset of the call's end.
    pub(crate) proofs: HashMap<u32, Proofs>,
    /// The end of a call that is awaited.
    pub(crate) awaited: Option<u32>,
    /// The first names of the modules that are imported.
    pub(crate) modules: HashSet<String>,
    /// Calls of which the answer is no page, by offset: their type is set later on.
    pub(crate) typed_answers: HashSet<u32>,
    steps: u32,
    inlined_steps: u32,
}

/// The names of one function at work, or of the module.
pub(crate) struct Scope {
    pub(crate) names: Environment,
    /// The scope around it in the text.
    pub(crate) outer: Option<usize>,
    /// The function, for its name and class; none for the module.
    pub(crate) function: Option<usize>,
    pub(crate) returned: Option<Value>,
    /// Results of a handler go to a browser.
    pub(crate) answers: bool,
    /// The statements at hand follow a call that is believed never to return.
    pub(crate) is_stopped: bool,
    /// A subclass is meant to have its own version of the function.
    pub(crate) is_abstract: bool,
    /// The loops around: how many branches were open before each, and what was changed where it was left.
    pub(crate) breaks: Vec<(usize, Vec<Branch>)>,
    /// Conditions that were given names.
    pub(crate) remembered: Remembered,
    /// The exits of a function that is evaluated at a call.
    pub(crate) exits: Option<Exits>,
}

impl Scope {
    pub(crate) fn new(function: Option<usize>, outer: Option<usize>) -> Self {
        Self {
            names: Environment::default(),
            outer,
            function,
            returned: None,
            answers: false,
            is_stopped: false,
            is_abstract: false,
            breaks: Vec::new(),
            remembered: Remembered::default(),
            exits: None,
        }
    }
}

impl<'a, 'f, 's> Interpreter<'a, 'f, 's> {
    pub(crate) fn new(program: &'f Program<'a>, findings: &'f mut Findings<'s>) -> Self {
        Self {
            program,
            findings,
            scopes: vec![Scope::new(None, None)],
            attributes: HashMap::new(),
            inlining: Vec::new(),
            loops: 0,
            lambdas: 0,
            purpose: String::new(),
            addresses: HashMap::new(),
            answers_json: false,
            uses_ldap: false,
            class_at_hand: String::new(),
            never: false,
            proofs: HashMap::new(),
            awaited: None,
            modules: HashSet::new(),
            typed_answers: HashSet::new(),
            steps: STEPS,
            inlined_steps: INLINED_STEPS,
        }
    }

    /// Counts one step; false when there are none left.
    pub(crate) fn step(&mut self) -> bool {
        if !self.inlining.is_empty() {
            self.inlined_steps = self.inlined_steps.saturating_sub(1);
        }
        self.steps = self.steps.saturating_sub(1);
        self.steps > 0
    }

    /// Whether the walk ran out of steps, so that findings may be missing.
    pub(crate) fn exhausted(&self) -> bool {
        self.steps == 0
    }

    pub(crate) fn may_inline(&self) -> bool {
        self.inlined_steps > 0
    }

    pub(crate) fn scope(&mut self) -> &mut Scope {
        self.scopes.last_mut().expect("the module's scope is never left")
    }

    pub(crate) fn names(&mut self) -> &mut Environment {
        &mut self.scope().names
    }

    /// The value of a name: local, enclosing, module, and otherwise whatever the name itself says.
    pub(crate) fn lookup(&self, name: &str) -> Value {
        let mut at = self.scopes.len().checked_sub(1);
        while let Some(index) = at {
            let scope = &self.scopes[index];
            if let Some(value) = scope.names.get(name) {
                if index == 0 && self.scopes.len() > 1 && self.program.shared.contains(name) {
                    return Value { unknown: Uses::ALL, shape: Shape::Opaque, ..value.clone() };
                }
                return value.clone();
            }
            at = scope.outer;
        }
        sources::source_value(name).unwrap_or_else(|| Value::unknown().with_symbol(name))
    }

    pub(crate) fn set(&mut self, name: &str, value: Value) {
        self.names().set(name, value);
    }

    /// Reports data that reaches a dangerous use.
    pub(crate) fn report_flow(
        &mut self,
        rule: &'static Rule,
        range: TextRange,
        value: &Value,
        sink: Uses,
        severities: (Severity, Option<Severity>),
    ) {
        if value.tainted.intersects(sink) {
            self.findings.report_as(rule, range, local_severity(value, sink, severities.0), SURE);
        } else if let (true, Some(severity)) = (value.unknown.intersects(sink), severities.1) {
            self.findings.report_as(rule, range, severity, DOUBTFUL);
        }
    }
}

/// Lowers the severity of commands from the user who starts the program and may run others anyway; only an argument may be
/// the text of another user.
fn local_severity(value: &Value, sink: Uses, severity: Severity) -> Severity {
    if !sink.intersects(Uses::SHELL | Uses::CODE) || value.tainted.intersects(Uses::REMOTE) {
        return severity;
    }
    let is_argument = value.tainted.intersects(Uses::ARGUMENT) && severity == Severity::Critical;
    if is_argument { Severity::Medium } else { Severity::Low }
}
