//! The memory of this process, as Linux sees it.

/// Bytes in memory now; 0 where nobody says.
#[must_use]
pub fn resident() -> u64 {
    status("VmRSS:")
}

/// The most bytes that were in memory so far.
#[must_use]
pub fn most_resident() -> u64 {
    status("VmHWM:")
}

fn status(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kib =
        line.and_then(|line| line.trim().strip_suffix("kB")).and_then(|kib| kib.trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1_024
}

/// Bytes as people read them.
#[must_use]
pub fn show(bytes: f64) -> String {
    match bytes {
        it if it < 10_000.0 => format!("{it:.0} B"),
        it if it < 10_000_000.0 => format!("{:.0} KB", it / 1e3),
        it => format!("{:.0} MB", it / 1e6),
    }
}
