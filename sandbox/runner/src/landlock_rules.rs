//! The job's file, network and scope rules, with all that the kernel's Landlock offers.

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetError, Scope, path_beneath_rules,
};

use crate::protocol::{SocketRule, WORK_DIR, Walls};

/// Newest Landlock this program was written for; an older kernel gives what it has.
const NEWEST_ABI: ABI = if cfg!(feature = "landlock-abi-2") { ABI::V2 } else { ABI::V6 };

/// Devices that every runtime reads.
const READABLE_DEVICES: [&str; 3] = ["/dev/zero", "/dev/random", "/dev/urandom"];

/// Confines the calling thread and all it will start.
///
/// The caller has compared the kernel's version with the job's minimum: from there on, best effort is enough.
pub(crate) fn restrict(walls: &Walls) -> Result<(), RulesetError> {
    restrict_with(walls, NEWEST_ABI)
}

/// The same with no more than an older kernel's Landlock, for positive controls.
#[cfg(feature = "positive-controls")]
pub(crate) fn restrict_up_to(walls: &Walls, version: u32) -> Result<(), RulesetError> {
    restrict_with(walls, ABI::from(version.cast_signed()))
}

fn restrict_with(walls: &Walls, newest: ABI) -> Result<(), RulesetError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let execute = read | AccessFs::Execute;
    let mut rules =
        Ruleset::default().set_compatibility(CompatLevel::BestEffort).handle_access(AccessFs::from_all(newest))?;
    // Asking for nothing is an error.
    let (net, scopes) = (AccessNet::from_all(newest), Scope::from_all(newest));
    if walls.sockets == SocketRule::UnixOnly && !net.is_empty() {
        rules = rules.handle_access(net)?;
    }
    if !scopes.is_empty() {
        rules = rules.scope(scopes)?;
    }
    rules
        .create()?
        .no_new_privs(false)
        .add_rules(path_beneath_rules(&walls.read, read))?
        .add_rules(path_beneath_rules(&walls.exec, execute))?
        .add_rules(path_beneath_rules(READABLE_DEVICES, read))?
        .add_rules(path_beneath_rules(["/dev/null"], AccessFs::ReadFile | AccessFs::WriteFile))?
        .add_rules(path_beneath_rules([WORK_DIR], work_access(newest)))?
        .restrict_self()
        .map(drop)
}

/// Everything but executing and making devices.
fn work_access(newest: ABI) -> BitFlags<AccessFs> {
    AccessFs::from_all(newest) & !(AccessFs::Execute | AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev)
}
