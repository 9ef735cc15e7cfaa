/// Returns a program that prints `begun`, sleeps for this many seconds, and prints `ended`.
pub fn long_program(seconds: u32) -> String {
    format!("import time\nprint('begun', flush=True)\ntime.sleep({seconds})\nprint('ended')\n")
}
