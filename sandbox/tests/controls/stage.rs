//! One run of a control: an attack behind selected restrictions, under bubblewrap.

use std::fs;
use std::io::Write;
use std::ops::Deref;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use runner::controls::Control;
use runner::protocol::{FileFrame, ProcessRule, SocketRule, Walls, encode};
use sandbox::IsolationLevel;
use serde_json::Value;

use crate::build::static_program;
use crate::case::{self, Case};
use crate::host::Host;
use crate::support::{is_root, roots};

pub(crate) const NOBODY: u32 = 65534;

/// The restrictions of one run, and the host resources that the attack can see.
pub(crate) struct Stage {
    pub(crate) attack: &'static str,
    pub(crate) script: &'static str,
    /// Replaces the script of the attack.
    pub(crate) source: Option<&'static str>,
    /// Namespace flags for bubblewrap.
    pub(crate) unshare: Vec<&'static str>,
    /// Further arguments for bubblewrap.
    pub(crate) more: Vec<&'static str>,
    /// Cgroup to join before bubblewrap starts.
    pub(crate) cgroup: Option<PathBuf>,
    /// Folder of the host shown at `/sys`, which every root has, and whether it is writable.
    pub(crate) lent: Option<(PathBuf, bool)>,
    pub(crate) lent_work: Option<PathBuf>,
    pub(crate) uid: u32,
    pub(crate) control: Control,
    /// Changes to the attacker's knowledge.
    pub(crate) known: Vec<(&'static str, Value)>,
}

impl Stage {
    /// Returns a stage with namespaces only.
    pub(crate) fn of(attack: &'static str) -> Self {
        let walls = Walls {
            minimum_landlock_abi: 0,
            read: ["/usr/lib", "/etc/ld.so.cache"].map(String::from).into(),
            exec: ["/usr/bin/python3", "/lib64/ld-linux-x86-64.so.2"].map(String::from).into(),
            processes: ProcessRule::Allowed,
            sockets: SocketRule::Loopback,
        };
        let control = Control {
            argv: Vec::new(),
            files: Vec::new(),
            unchecked_files: false,
            work_options: Some("size=64m,mode=0700".into()),
            executable_work: false,
            drop_capabilities: true,
            outer_seccomp: false,
            inner_seccomp: false,
            landlock: None,
            file_bytes: None,
            fixed_limits: false,
            walls,
        };
        let unshare = vec!["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--as-pid-1"];
        let (script, source, known) = ("attack.py", None, Vec::new());
        let (more, cgroup) = (Vec::new(), None);
        Self { attack, script, source, unshare, more, cgroup, lent: None, lent_work: None, uid: NOBODY, control, known }
    }

    pub(crate) fn and(mut self, words: &[&'static str]) -> Self {
        self.more.extend(words);
        self
    }

    pub(crate) fn without(mut self, flag: &str) -> Self {
        self.unshare.retain(|one| *one != flag);
        if flag == "--unshare-pid" {
            // Only the first process of a new pid namespace can be process 1.
            return self.without("--as-pid-1");
        }
        self
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Control)) -> Self {
        change(&mut self.control);
        self
    }

    pub(crate) fn lending(mut self, folder: &Path, writable: bool) -> Self {
        self.lent = Some((folder.to_owned(), writable));
        self.known.push(("secret_path", "/sys/secret".into()));
        self
    }

    /// Runs the attack and returns its output.
    pub(crate) fn run(self, host: &Host) -> String {
        let (child, _program) = self.start(host);
        let ended = child.wait_with_output().expect("ends");
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(said.starts_with("CONTROL ok"), "{said} {}", String::from_utf8_lossy(&ended.stderr));
        said
    }

    /// Starts the attack; keep the returned folder until the program has started.
    pub(crate) fn start(mut self, host: &Host) -> (Child, Scratch) {
        let case = Case::read(&case::folder().join(self.attack));
        let mut known = host.attacker_knowledge(IsolationLevel::Standard, "control");
        for (key, value) in self.known.drain(..) {
            known[key] = value;
        }
        let evidence = fs::read(case::folder().join("evidence.py")).expect("the attacks share it");
        let shared = [("evidence.py".to_owned(), evidence), ("host.json".to_owned(), known.to_string().into())];
        let more = case.expect.more_files.into_iter().map(|file| (file.path, file.content.into()));
        let own = self.source.map(|source| (self.script.to_owned(), source.as_bytes().to_vec()));
        let given = case.files.into_iter().filter(|(path, _)| own.as_ref().is_none_or(|(script, _)| script != path));
        let files =
            given.chain(own.clone()).chain(more).chain(shared).map(|(path, content)| FileFrame { path, content });
        self.control.files = files.collect();
        self.control.argv = ["/usr/bin/python3", "-s", "-B", self.script].map(String::from).into();
        let frame = encode(&self.control).expect("encodes");
        let copy = open_copy();
        let mut child = self.command(&copy.join("control")).spawn().expect("starts bubblewrap");
        child.stdin.take().expect("has stdin").write_all(&frame).expect("takes the control");
        (child, copy)
    }

    fn command(&self, program: &Path) -> Command {
        let root = roots().join("python/rootfs").canonicalize().expect("is built");
        let mut command = self.cgroup.as_ref().map_or_else(|| Command::new("bwrap"), |folder| entering(folder));
        command.args(["--unshare-user", "--uid", &self.uid.to_string(), "--gid", &self.uid.to_string()]);
        command.args(&self.unshare).args(&self.more).args(["--die-with-parent", "--new-session"]);
        command.args(["--cap-drop", "ALL", "--cap-add", "CAP_SYS_ADMIN"]);
        command.arg("--ro-bind").arg(&root).arg("/").args(["--proc", "/proc", "--tmpfs", "/dev"]);
        for device in ["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"] {
            command.args(["--dev-bind", device, device]);
        }
        if let Some((folder, writable)) = &self.lent {
            command.arg(if *writable { "--bind" } else { "--ro-bind" }).arg(folder).arg("/sys");
        }
        if let Some(folder) = &self.lent_work {
            command.arg("--bind").arg(folder).arg("/work");
        }
        // Replaces the real runner, which every root contains.
        command.arg("--ro-bind").arg(program).arg("/promptcraft-runner");
        command.args(["--chdir", "/", "--", "/promptcraft-runner"]);
        command.env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if is_root() && self.cgroup.is_none() {
            command.uid(self.uid).gid(self.uid);
        }
        command
    }
}

/// Joins the cgroup while permitted, then switches to the user of jobs and runs bubblewrap.
fn entering(folder: &Path) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args([
        "-c",
        "echo $$ >\"$0\" && exec /usr/bin/setpriv --reuid 65534 --regid 65534 --clear-groups /usr/bin/bwrap \"$@\"",
    ]);
    command.arg(folder.join("cgroup.procs"));
    command
}

/// Copies the program to a folder under /tmp, because the user of jobs may not be able to read Cargo's.
fn open_copy() -> Scratch {
    static PROGRAM: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    let program = PROGRAM.get_or_init(|| static_program("promptcraft-control", "positive-controls", "controls"));
    let folder = scratch("program", 0o755);
    fs::copy(program, folder.join("control")).expect("copies");
    fs::set_permissions(folder.join("control"), fs::Permissions::from_mode(0o755)).expect("opens");
    folder
}

/// A folder under /tmp that is removed on drop.
pub(crate) struct Scratch(PathBuf);

impl Deref for Scratch {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

pub(crate) fn scratch(name: &str, mode: u32) -> Scratch {
    let name = format!("promptcraft-control-{name}-{}", uuid::Uuid::new_v4().simple());
    let folder = Scratch(std::env::temp_dir().join(name));
    fs::create_dir(&*folder).expect("makes a folder");
    fs::set_permissions(&*folder, fs::Permissions::from_mode(mode)).expect("sets its mode");
    folder
}
