//! Path traversal.

use super::sink::{Sink, sink};
use crate::python::taint::call::Call;
use crate::python::taint::interpreter::Interpreter;
use crate::python::taint::models::sources;
use crate::python::taint::value::{TaintKinds, Value};
use crate::rules;
use analysis_report::Severity::High;

pub(crate) static SINKS: &[Sink] = &[
    sink(
        &[
            "open",
            "builtins.open",
            "io.open",
            "codecs.open",
            "os.open",
            "os.remove",
            "os.unlink",
            "os.rmdir",
            "os.listdir",
            "os.scandir",
            "os.makedirs",
            "os.mkdir",
            "os.stat",
            "shutil.rmtree",
            "shutil.copy",
            "shutil.copyfile",
            "shutil.move",
            "aiofiles.open",
            "tarfile.open",
            "zipfile.ZipFile",
            "flask.send_file",
            "send_file",
            "fastapi.responses.FileResponse",
            "FileResponse",
            "starlette.responses.FileResponse",
            "django.http.FileResponse",
            "bottle.static_file",
            "linecache.getline",
            "os.path.exists",
            "os.path.isfile",
        ],
        (0, "file"),
        TaintKinds::PATH,
        &rules::PATH_TRAVERSAL,
        High,
        None,
    ),
    sink(
        &["os.rename", "os.replace", "shutil.copy", "shutil.copyfile", "shutil.move", "os.symlink", "os.link"],
        (1, "dst"),
        TaintKinds::PATH,
        &rules::PATH_TRAVERSAL,
        High,
        None,
    ),
    sink(
        &["flask.send_from_directory", "send_from_directory"],
        (0, "directory"),
        TaintKinds::PATH,
        &rules::PATH_TRAVERSAL,
        High,
        None,
    ),
];

impl Interpreter<'_, '_, '_> {
    /// Checks an upload that is saved under the client's file name.
    pub(crate) fn check_upload(&mut self, call: &Call<'_>) {
        if let Some(path) = call.argument(0, "dst").cloned() {
            self.report_flow(&rules::PATH_TRAVERSAL, call.range, &path, TaintKinds::PATH, (High, None));
        }
    }

    /// Checks path methods that open, read or change a file.
    pub(crate) fn check_path_method(&mut self, call: &Call<'_>, path: &Value) {
        let is_path = call.name.ends_with("_text") && !sources::is_from_request(path.symbol());
        if path.symbol().starts_with("pathlib.") || is_path {
            self.report_flow(&rules::PATH_TRAVERSAL, call.range, path, TaintKinds::PATH, (High, None));
        }
    }
}
