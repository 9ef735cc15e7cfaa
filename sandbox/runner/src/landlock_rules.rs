//! The job's file, network and scope rules, with all that the kernel's Landlock offers.

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetError, Scope, path_beneath_rules,
};

use crate::protocol::{SocketRule, WORK_DIR, Walls};

/// Newest Landlock this program was written for; an older kernel gives what it has.
const NEWEST: ABI = ABI::V6;

/// Devices that every runtime reads.
const READABLE_DEVICES: [&str; 3] = ["/dev/zero", "/dev/random", "/dev/urandom"];

/// Confines the calling thread and all it will start.
///
/// The caller has compared the kernel's version with the job's minimum: from there on, best effort is enough.
pub(crate) fn restrict(walls: &Walls) -> Result<(), RulesetError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let execute = read | AccessFs::Execute;
    let mut rules =
        Ruleset::default().set_compatibility(CompatLevel::BestEffort).handle_access(AccessFs::from_all(NEWEST))?;
    if walls.sockets == SocketRule::UnixOnly {
        rules = rules.handle_access(AccessNet::from_all(NEWEST))?;
    }
    rules
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .no_new_privs(false)
        .add_rules(path_beneath_rules(&walls.read, read))?
        .add_rules(path_beneath_rules(&walls.exec, execute))?
        .add_rules(path_beneath_rules(READABLE_DEVICES, read))?
        .add_rules(path_beneath_rules(["/dev/null"], AccessFs::ReadFile | AccessFs::WriteFile))?
        .add_rules(path_beneath_rules([WORK_DIR], work_access()))?
        .restrict_self()
        .map(drop)
}

/// Everything but executing and making devices.
fn work_access() -> BitFlags<AccessFs> {
    AccessFs::from_all(NEWEST) & !(AccessFs::Execute | AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev)
}
