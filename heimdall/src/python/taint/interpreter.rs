//! State of the taint walk and name lookup.

use std::collections::{HashMap, HashSet};

use ruff_text_size::TextRange;

use super::environment::{Branch, Environment};
use super::guards::named_conditions::NamedConditions;
use super::guards::postconditions::{Postconditions, ReturnTracker};
use super::models::sources;
use super::module_index::ModuleIndex;
use super::value::{AbstractValue, TaintKinds, Value};
use crate::findings::Findings;
use crate::rules::Rule;
use analysis_report::Severity;

/// Maximum statements and expressions walked, called functions included; about one second in a release build.
const MAX_STEPS: u32 = 6_000_000;
/// Maximum steps within called functions, as part of `MAX_STEPS`.
const MAX_CALL_STEPS: u32 = 2_000_000;

/// Confidence of a finding whose data is known to be external.
pub(crate) const CONFIDENCE_TAINTED: f32 = 0.95;
/// Confidence of a finding whose data is of unknown origin.
pub(crate) const CONFIDENCE_UNKNOWN: f32 = 0.6;

/// The taint walk of one module.
pub(crate) struct Interpreter<'a, 'f, 's> {
    pub(crate) module: &'f ModuleIndex<'a>,
    pub(crate) findings: &'f mut Findings<'s>,
    pub(crate) scopes: Vec<Scope>,
    /// Attributes of objects, by class and name, joined over all methods.
    pub(crate) attributes: HashMap<(usize, String), Value>,
    /// Functions being called, innermost last.
    pub(crate) call_stack: Vec<usize>,
    pub(crate) loop_depth: u32,
    /// Nesting depth of the current lambda.
    pub(crate) lambda_depth: u32,
    /// Lower-case name that the current value is assigned to; shows the purpose of random numbers.
    pub(crate) assigned_name: String,
    /// Names that hold a parsed URL, with the name of the string it was parsed from.
    pub(crate) parsed_urls: HashMap<String, String>,
    /// True if the framework sends results of handlers as JSON.
    pub(crate) responds_json: bool,
    /// True if the module imports an LDAP client.
    pub(crate) uses_ldap: bool,
    /// Name of the class whose body is walked; empty elsewhere.
    pub(crate) current_class: String,
    /// True if the current expression called a function that never returns.
    pub(crate) diverges: bool,
    /// Facts about arguments that local functions prove, by end offset of the call.
    pub(crate) postconditions: HashMap<u32, Postconditions>,
    /// End offset of the awaited call.
    pub(crate) awaited: Option<u32>,
    /// Top-level names of the imported modules.
    pub(crate) imported_modules: HashSet<String>,
    /// Start offsets of calls whose response gets a non-HTML content type later.
    pub(crate) non_html_responses: HashSet<u32>,
    steps: u32,
    call_steps: u32,
}

/// The state of one function being walked, or of the module.
pub(crate) struct Scope {
    pub(crate) names: Environment,
    /// Index of the enclosing scope.
    pub(crate) outer: Option<usize>,
    /// Index of the function; `None` for the module.
    pub(crate) function: Option<usize>,
    pub(crate) returned: Option<Value>,
    /// True for a handler whose results are sent to a browser.
    pub(crate) returns_response: bool,
    /// True if the current statements follow a call that is assumed never to return.
    pub(crate) after_divergence: bool,
    /// True if subclasses are expected to override the function.
    pub(crate) is_abstract: bool,
    /// For each enclosing loop, the number of open branches before it and the changes at each `break`.
    pub(crate) breaks: Vec<(usize, Vec<Branch>)>,
    /// Names that hold the result of a condition.
    pub(crate) named_conditions: NamedConditions,
    /// Facts about the parameters at each return; `None` outside of a call.
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
            call_steps: MAX_CALL_STEPS,
        }
    }

    /// Counts one step. Returns false if no steps are left.
    pub(crate) fn step(&mut self) -> bool {
        if !self.call_stack.is_empty() {
            self.call_steps = self.call_steps.saturating_sub(1);
        }
        self.steps = self.steps.saturating_sub(1);
        self.steps > 0
    }

    /// Returns true if the walk ran out of steps, so findings may be missing.
    pub(crate) fn exhausted(&self) -> bool {
        self.steps == 0
    }

    pub(crate) fn may_enter_call(&self) -> bool {
        self.call_steps > 0
    }

    pub(crate) fn scope(&mut self) -> &mut Scope {
        self.scopes.last_mut().expect("the module's scope is diverges left")
    }

    pub(crate) fn names(&mut self) -> &mut Environment {
        &mut self.scope().names
    }

    /// Returns the value of a local, enclosing or module name; for other names, the value that the name itself implies.
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

    /// Reports data that reaches a sink.
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

/// Lowers the severity of data that only the user who starts the program controls. Arguments may come from another
/// user, so they keep a medium severity.
fn local_severity(value: &Value, sink: TaintKinds, severity: Severity) -> Severity {
    if !sink.intersects(TaintKinds::SHELL | TaintKinds::CODE) || value.tainted.intersects(TaintKinds::REMOTE) {
        return severity;
    }
    let is_argument = value.tainted.intersects(TaintKinds::ARGUMENT) && severity == Severity::Critical;
    if is_argument { Severity::Medium } else { Severity::Low }
}
