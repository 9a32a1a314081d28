//! Times and durations as the dashboard writes them: `14:23 UTC`, `41 s`.

use jiff::Timestamp;

/// `14:23 UTC · 41 s`; empty where nothing was reported.
pub(super) fn of_row(at: Option<Timestamp>, seconds: Option<i64>) -> String {
    let Some(at) = at else { return String::new() };
    let clock = at.strftime("%H:%M UTC").to_string();
    match seconds {
        Some(seconds) => format!("{clock} · {}", took(seconds)),
        None => clock,
    }
}

/// `2026-11-23 14:23 UTC`.
pub(crate) fn date_and_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// `41 s`, `2 min 5 s`, `1 h 3 min`.
pub(super) fn took(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{} s", seconds.max(0)),
        60..3600 if seconds % 60 == 0 => format!("{} min", seconds / 60),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ if seconds % 3600 < 60 => format!("{} h", seconds / 3600),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::{of_row, took};

    #[test]
    fn times_read_as_people_write_them() {
        assert_eq!([0, 41, 60, 125, 3600, 3780].map(took), ["0 s", "41 s", "1 min", "2 min 5 s", "1 h", "1 h 3 min"]);
        assert_eq!(of_row("2026-11-23T14:23:05Z".parse().ok(), Some(41)), "14:23 UTC · 41 s");
        assert_eq!(of_row(None, Some(1)), "");
    }
}
