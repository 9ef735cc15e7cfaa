//! Full disks.

use std::fs::{self, File};
use std::io::Read;

use super::{Injected, run};
use crate::cluster::{Cluster, Node};

/// Minimum size of a disk that is filled.
const SMALL_KILOBYTES: u64 = 16 * 1024;
const BALLAST: &str = "ballast";

pub(super) fn fill(cluster: &Cluster, name: &str) -> Result<(), Injected> {
    let unsupported = || Injected::Unsupported("no file system could be mounted for the brokers".to_owned());
    for store in cluster.nodes.iter().filter(|node| node.name.starts_with(name)).map(Node::store) {
        let place = store.display().to_string();
        let used = run("df", &["--output=used", "-k", &place]).unwrap_or_default();
        let used: u64 = used.lines().last().and_then(|line| line.trim().parse().ok()).unwrap_or(0);
        let size = SMALL_KILOBYTES.max(used + 64);
        run("mount", &["-o", &format!("remount,size={size}k"), &place]).ok_or_else(unsupported)?;
        // Fills it to the last byte; the broker keeps writing, so the free size is not known before.
        let filled = File::create(store.join(BALLAST))
            .and_then(|mut ballast| std::io::copy(&mut std::io::repeat(0).take(size * 1024), &mut ballast));
        if filled.is_ok() {
            return Err(Injected::NotInjected("the disk of a broker did not fill up".to_owned()));
        }
    }
    Ok(())
}

pub(super) fn empty(cluster: &Cluster) {
    for store in cluster.nodes.iter().map(Node::store).filter(|store| store.join(BALLAST).exists()) {
        if fs::remove_file(store.join(BALLAST)).is_err()
            || run("mount", &["-o", "remount,size=512m", &store.display().to_string()]).is_none()
        {
            eprintln!("{} stays full", store.display());
        }
    }
}
