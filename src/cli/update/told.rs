//! What is told of a report: what the rows say now.

use super::Dashboard;
use crate::cli::{console, line};
use crate::model::board::{Board, Entry, Recorded, Status};

/// What the journal says once the report stands in it.
pub(super) struct Told<'a> {
    dashboard: &'a Dashboard<'a>,
    standing: Vec<&'a Recorded>,
    board: Board,
}

impl<'a> Told<'a> {
    pub(super) fn of(dashboard: &'a Dashboard<'_>, recorded: &'a [Recorded]) -> Self {
        Self { dashboard, standing: dashboard.standing(recorded), board: dashboard.board(recorded) }
    }

    pub(super) fn tell(&self, entries: &[Entry]) {
        let (kept, taken): (Vec<_>, Vec<_>) =
            entries.iter().map(|entry| (entry, self.in_its_way(entry))).partition(|(_, held)| held.is_some());
        let (alike, apart): (Vec<_>, Vec<_>) =
            taken.into_iter().map(|(entry, _)| entry).partition(|entry| self.shown(entry) == entry.status);
        let sha = self.dashboard.sha.short();
        if let Some(first) = alike.first() {
            let told: Vec<String> = alike.iter().map(|entry| self.dashboard.subject(entry)).collect();
            console::line(format!("{} of {sha}: {}", told.join(", "), first.status.word()));
        }
        for entry in apart {
            console::line(format!("{} of {sha}: {}{}", entry.row, self.shown(entry).word(), self.of_layers(entry)));
        }
        for (entry, held) in kept.into_iter().filter_map(|(entry, held)| Some((entry, held?))) {
            self.tell_kept(entry, held);
        }
    }

    /// Says that a row did not take what was reported.
    fn tell_kept(&self, entry: &Entry, held: &Entry) {
        let why = match (line::run(held.run), line::run(entry.run)) {
            (Some(newer), Some(older)) if held.run > entry.run => format!("run {newer} is newer than run {older}"),
            _ => "it is at other work".to_owned(),
        };
        let of_layer = entry.layer.is_some() && held.layer == entry.layer;
        let stays = if of_layer { held.status } else { self.shown(entry) };
        let (row, sha, word) = (self.dashboard.subject(entry), self.dashboard.sha.short(), entry.status.word());
        let place =
            if entry.status.ended() { format!(", and the {word} stands in the history alone") } else { String::new() };
        console::line(format!("{row} of {sha} stays {}: {why}{place}", stays.word()));
    }

    /// What a row comes to; one that ci.toml no longer has says what was reported.
    fn shown(&self, entry: &Entry) -> Status {
        self.board.row(&entry.row).map_or(entry.status, |row| row.status)
    }

    /// The layers for which what was reported stands, where the row as a whole says something else.
    fn of_layers(&self, entry: &Entry) -> String {
        let seq = self.standing.iter().find(|held| held.entry.id == entry.id).map(|held| held.seq);
        let cells = self.board.row(&entry.row).map_or(&[][..], |row| &row.cells);
        let of_whole = cells.iter().filter(|cell| Some(cell.seq) == seq).map(|cell| &cell.layer);
        let layers = entry.layer.as_ref().map_or_else(|| of_whole.collect(), |layer| vec![layer]);
        let told: Vec<String> = layers.iter().map(|layer| format!("{layer}: {}", entry.status.word())).collect();
        if told.is_empty() { String::new() } else { format!(" ({})", told.join(", ")) }
    }

    /// What a row says in place of what was reported to it just now.
    fn in_its_way(&self, entry: &Entry) -> Option<&'a Entry> {
        let of_row = self.standing.iter().map(|recorded| &recorded.entry).filter(|held| held.row == entry.row);
        let of_row: Vec<&Entry> = of_row.collect();
        if of_row.iter().any(|held| held.id == entry.id) {
            return None;
        }
        let of_layer = |held: &&&Entry| !self.dashboard.is_for_all_layers(&entry.row) || held.layer == entry.layer;
        of_row.iter().rfind(of_layer).or(of_row.last()).copied()
    }
}
