//! Code execution: evaluated text, imports, deserialized objects, templates, attribute names and regular expressions.

use super::sink::{Sink, sink};
use crate::python::taint::value::TaintKinds;
use crate::rules;
use analysis_report::Severity::{Critical, High, Low, Medium};

pub(crate) static SINKS: &[Sink] = &[
    sink(
        &["eval", "builtins.eval", "exec", "builtins.exec"],
        (0, "source"),
        TaintKinds::CODE,
        &rules::CODE_INJECTION,
        Critical,
        Some(Medium),
    ),
    sink(
        &["compile", "builtins.compile", "code.InteractiveInterpreter().runsource", "execfile"],
        (0, "source"),
        TaintKinds::CODE,
        &rules::CODE_INJECTION,
        High,
        Some(Medium),
    ),
    sink(
        &["__import__", "importlib.import_module", "runpy.run_module", "runpy.run_path"],
        (0, "name"),
        TaintKinds::CODE,
        &rules::CODE_INJECTION,
        High,
        None,
    ),
    sink(
        &[
            "pickle.loads",
            "pickle.load",
            "pickle.Unpickler",
            "cPickle.loads",
            "cPickle.load",
            "_pickle.loads",
            "dill.loads",
            "dill.load",
            "cloudpickle.loads",
            "cloudpickle.load",
            "marshal.loads",
            "marshal.load",
            "jsonpickle.decode",
            "shelve.open",
            "joblib.load",
            "pandas.read_pickle",
            "torch.load",
            "numpy.lib.npyio.load",
        ],
        (0, "data"),
        TaintKinds::OBJECT,
        &rules::DESERIALIZATION,
        Critical,
        Some(Medium),
    ),
    sink(
        &["flask.render_template_string", "render_template_string"],
        (0, "source"),
        TaintKinds::TEMPLATE,
        &rules::TEMPLATE_INJECTION,
        High,
        Some(Medium),
    ),
    sink(
        &[
            "jinja2.Template",
            "jinja2.Environment().from_string",
            "mako.template.Template",
            "django.template.Template",
            "tornado.template.Template",
            "bottle.template",
        ],
        (0, "source"),
        TaintKinds::TEMPLATE,
        &rules::TEMPLATE_INJECTION,
        High,
        Some(Low),
    ),
    sink(
        &["re.compile", "re.search", "re.match", "re.fullmatch", "re.findall", "re.finditer", "re.sub", "re.split"],
        (0, "pattern"),
        TaintKinds::REGEX,
        &rules::REGEX_INJECTION,
        Medium,
        None,
    ),
    sink(&["getattr", "setattr", "delattr"], (1, "name"), TaintKinds::ATTRIBUTE, &rules::MASS_ASSIGNMENT, Medium, None),
];
