//! XML external entities and XPath injection.

use super::sink::{Sink, sink};
use crate::python::taint::call::Call;
use crate::python::taint::interpreter::Interpreter;
use crate::python::taint::value::{TaintKinds, Value};
use crate::rules;
use analysis_report::Severity::High;

pub(crate) static SINKS: &[Sink] = &[
    sink(
        &[
            "lxml.etree.parse",
            "lxml.etree.fromstring",
            "lxml.etree.XML",
            "xml.etree.ElementTree.parse",
            "xml.etree.ElementTree.fromstring",
            "xml.etree.ElementTree.XML",
            "xml.etree.ElementTree.iterparse",
            "xml.etree.cElementTree.parse",
            "xml.dom.pulldom.parseString",
            "xml.sax.parse",
            "xml.sax.parseString",
            "xmltodict.parse",
        ],
        (0, "source"),
        TaintKinds::XML,
        &rules::XXE,
        High,
        None,
    ),
    sink(
        &["elementpath.select", "lxml.etree.ETXPath"],
        (1, "path"),
        TaintKinds::XPATH,
        &rules::XPATH_INJECTION,
        High,
        None,
    ),
    sink(
        &["lxml.etree.XPath", "elementpath.XPath2Parser().parse"],
        (0, "path"),
        TaintKinds::XPATH,
        &rules::XPATH_INJECTION,
        High,
        None,
    ),
];

impl Interpreter<'_, '_, '_> {
    /// Checks an XPath query on a parsed document.
    pub(crate) fn check_xpath(&mut self, call: &Call<'_>, document: &Value) {
        if document.as_text().is_some() {
            return;
        }
        let Some(query) = call.positional.first().filter(|query| query.assembled || call.name == "xpath") else {
            return;
        };
        if call.name == "xpath" || document.symbol().contains("etree") {
            self.report_flow(&rules::XPATH_INJECTION, call.range, query, TaintKinds::XPATH, (High, None));
        }
    }
}
