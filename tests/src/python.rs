/// A program that says it began, runs for so many seconds, and says that it ended.
pub fn long_program(seconds: u32) -> String {
    format!("import time\nprint('begun', flush=True)\ntime.sleep({seconds})\nprint('ended')\n")
}
