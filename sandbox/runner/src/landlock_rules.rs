//! The job's file, network and scope rules, with every feature of the kernel's Landlock.

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetError, Scope, path_beneath_rules,
};

use crate::protocol::{PROGRAMS_DIR, SHARED_MEMORY, SocketRule, WORK_DIR, Walls};

/// Newest supported Landlock ABI; an older kernel enforces its subset.
const NEWEST_ABI: ABI = if cfg!(feature = "landlock-abi-2") { ABI::V2 } else { ABI::V6 };

/// Devices that every runtime may read.
const READABLE_DEVICES: [&str; 3] = ["/dev/zero", "/dev/random", "/dev/urandom"];

/// Confines the calling thread and its descendants.
///
/// Best effort is sufficient: the caller has compared the kernel's ABI with the job's minimum.
pub(crate) fn restrict(walls: &Walls) -> Result<(), RulesetError> {
    restrict_with(walls, NEWEST_ABI)
}

/// Confines with an older Landlock ABI, for positive controls.
#[cfg(feature = "positive-controls")]
pub(crate) fn restrict_up_to(walls: &Walls, version: u32) -> Result<(), RulesetError> {
    restrict_with(walls, ABI::from(version.cast_signed()))
}

fn restrict_with(walls: &Walls, newest: ABI) -> Result<(), RulesetError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let execute = read | AccessFs::Execute;
    let mut rules =
        Ruleset::default().set_compatibility(CompatLevel::BestEffort).handle_access(AccessFs::from_all(newest))?;
    // Handling an empty set is an error.
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
        .add_rules(path_beneath_rules([WORK_DIR, SHARED_MEMORY, PROGRAMS_DIR], work_access(newest)))?
        .restrict_self()
        .map(drop)
}

/// Every access except execution and device creation.
fn work_access(newest: ABI) -> BitFlags<AccessFs> {
    AccessFs::from_all(newest) & !(AccessFs::Execute | AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev)
}
