//! Follows values through a module: the state of the walk, and how names are looked up.

use std::collections::{HashMap, HashSet};

use ruff_text_size::TextRange;

use super::environment::{Branch, Environment};
use super::module_index::ModuleIndex;
use super::value::{AbstractValue, TaintKinds, Value};
use crate::findings::Findings;
use crate::python::taint::guards::named_conditions::NamedConditions;
use crate::python::taint::guards::postconditions::{Postconditions, ReturnTracker};
use crate::python::taint::models::sources;
use crate::report::Severity;
use crate::rules::Rule;

/// Statements and expressions looked at in all, inlined ones included. About a second in a release build.
const MAX_STEPS: u32 = 6_000_000;
/// Of those, what inlined calls may use.
const MAX_CALL_STEPS: u32 = 2_000_000;

/// How sure a finding is when its data is known to come from outside.
pub(crate) const CONFIDENCE_TAINTED: f32 = 0.95;
/// How sure it is when the origin is not known.
pub(crate) const CONFIDENCE_UNKNOWN: f32 = 0.6;

/// The walk through one module.
pub(crate) struct Interpreter<'a, 'f, 's> {
    pub(crate) module: &'f ModuleIndex<'a>,
    pub(crate) findings: &'f mut Findings<'s>,
    pub(crate) scopes: Vec<Scope>,
    /// Attributes of objects, by class and name, whichever method wrote them.
    pub(crate) attributes: HashMap<(usize, String), Value>,
    /// Calls being looked into, innermost last.
    pub(crate) call_stack: Vec<usize>,
    pub(crate) loop_depth: u32,
    /// Lambdas being walked, one in the other.
    pub(crate) lambda_depth: u32,
    /// Name that the value at hand will get, lower case; tells what random numbers are for.
    pub(crate) assigned_name: String,
    /// Names that hold a parsed address, and the name of the text it was parsed from.
    pub(crate) parsed_urls: HashMap<String, String>,
    /// The framework in use sends what handlers return as JSON, not as a page.
    pub(crate) responds_json: bool,
    /// The module talks to a directory service.
    pub(crate) uses_ldap: bool,
    /// The name of the class of which the body is walked; empty outside of one.
    pub(crate) current_class: String,
    /// The expression at hand called something that never returns.
    pub(crate) diverges: bool,
    /// Facts that calls of functions of the module proved of their arguments, by offset of the call's end.
    pub(crate) postconditions: HashMap<u32, Postconditions>,
    /// The end of a call that is awaited.
    pub(crate) awaited: Option<u32>,
    /// The first names of the modules that are imported.
    pub(crate) imported_modules: HashSet<String>,
    /// Calls of which the answer is no page, by offset: their type is set later on.
    pub(crate) non_html_responses: HashSet<u32>,
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
    pub(crate) returns_response: bool,
    /// The statements at hand follow a call that is believed never to return.
    pub(crate) after_divergence: bool,
    /// A subclass is meant to have its own version of the function.
    pub(crate) is_abstract: bool,
    /// The loops around: how many branches were open before each, and what was changed where it was left.
    pub(crate) breaks: Vec<(usize, Vec<Branch>)>,
    /// Conditions that were given names.
    pub(crate) named_conditions: NamedConditions,
    /// The exits of a function that is evaluated at a call.
    pub(crate) returns: Option<ReturnTracker>,
}

impl Scope {
    pub(crate) fn new(function: Option<usize>, outer: Option<usize>) -> Self {
        Self {
            names: Environment::default(),
            outer,
            function,
            returned: None,
            returns_response: false,
            after_divergence: false,
            is_abstract: false,
            breaks: Vec::new(),
            named_conditions: NamedConditions::default(),
            returns: None,
        }
    }
}

impl<'a, 'f, 's> Interpreter<'a, 'f, 's> {
    pub(crate) fn new(module: &'f ModuleIndex<'a>, findings: &'f mut Findings<'s>) -> Self {
        Self {
            module,
            findings,
            scopes: vec![Scope::new(None, None)],
            attributes: HashMap::new(),
            call_stack: Vec::new(),
            loop_depth: 0,
            lambda_depth: 0,
            assigned_name: String::new(),
            parsed_urls: HashMap::new(),
            responds_json: false,
            uses_ldap: false,
            current_class: String::new(),
            diverges: false,
            postconditions: HashMap::new(),
            awaited: None,
            imported_modules: HashSet::new(),
            non_html_responses: HashSet::new(),
            steps: MAX_STEPS,
            inlined_steps: MAX_CALL_STEPS,
        }
    }

    /// Counts one step; false when there are none left.
    pub(crate) fn step(&mut self) -> bool {
        if !self.call_stack.is_empty() {
            self.inlined_steps = self.inlined_steps.saturating_sub(1);
        }
        self.steps = self.steps.saturating_sub(1);
        self.steps > 0
    }

    /// Whether the walk ran out of steps, so that findings may be missing.
    pub(crate) fn exhausted(&self) -> bool {
        self.steps == 0
    }

    pub(crate) fn may_enter_call(&self) -> bool {
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
                if index == 0 && self.scopes.len() > 1 && self.module.globals.contains(name) {
                    return Value { unknown: TaintKinds::ALL, content: AbstractValue::Opaque, ..value.clone() };
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
        sink: TaintKinds,
        severities: (Severity, Option<Severity>),
    ) {
        if value.tainted.intersects(sink) {
            self.findings.report_as(rule, range, local_severity(value, sink, severities.0), CONFIDENCE_TAINTED);
        } else if let (true, Some(severity)) = (value.unknown.intersects(sink), severities.1) {
            self.findings.report_as(rule, range, severity, CONFIDENCE_UNKNOWN);
        }
    }
}

/// Lowers the severity of commands from the user who starts the program and may run others anyway; only an argument may be
/// the text of another user.
fn local_severity(value: &Value, sink: TaintKinds, severity: Severity) -> Severity {
    if !sink.intersects(TaintKinds::SHELL | TaintKinds::CODE) || value.tainted.intersects(TaintKinds::REMOTE) {
        return severity;
    }
    let is_argument = value.tainted.intersects(TaintKinds::ARGUMENT) && severity == Severity::Critical;
    if is_argument { Severity::Medium } else { Severity::Low }
}
